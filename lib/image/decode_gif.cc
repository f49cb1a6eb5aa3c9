// GIF by giflib: the first frame on the logical screen. What the frame leaves open or transparent
// is white.
// Tested by tests/image/decode_test.cc and tests/image/hostile_test.cc.

#include <gif_lib.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "lib/image/decoders.h"

namespace zeroshelf {
namespace {

struct Source {
  Bytes left;
};

int read_source(GifFileType* gif, GifByteType* out, int size) {
  auto& source = *static_cast<Source*>(gif->UserData);
  const size_t taken = std::min<size_t>(std::max(size, 0), source.left.size());
  if (taken > 0) std::memcpy(out, source.left.data(), taken);
  source.left = source.left.subspan(taken);
  return static_cast<int>(taken);
}

struct Close {
  void operator()(GifFileType* gif) const { DGifCloseFile(gif, nullptr); }
};
using Gif = std::unique_ptr<GifFileType, Close>;

Skip failure(int error) {
  if (error == D_GIF_ERR_READ_FAILED || error == D_GIF_ERR_EOF_TOO_SOON) return cut_short();
  const char* text = GifErrorString(error);
  return damaged(text != nullptr ? text : "not as GIF says");
}

// Reads an extension; one that is a graphics control sets the transparent index. False at damage.
bool read_extension(GifFileType* gif, int& transparent) {
  int code = 0;
  GifByteType* block = nullptr;
  if (DGifGetExtension(gif, &code, &block) == GIF_ERROR) return false;
  while (block != nullptr) {
    GraphicsControlBlock control;
    if (code == GRAPHICS_EXT_FUNC_CODE &&
        DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK) {
      transparent = control.TransparentColor;
    }
    if (DGifGetExtensionNext(gif, &block) == GIF_ERROR) return false;
  }
  return true;
}

bool skip_frame(GifFileType* gif) {
  if (DGifGetImageDesc(gif) == GIF_ERROR) return false;
  int code_size = 0;
  GifByteType* block = nullptr;
  if (DGifGetCode(gif, &code_size, &block) == GIF_ERROR) return false;
  while (block != nullptr) {
    if (DGifGetCodeNext(gif, &block) == GIF_ERROR) return false;
  }
  return true;
}

// Reads up to the next frame or the end. False at damage.
bool next_frame(GifFileType* gif, GifRecordType& record, int& transparent) {
  do {
    if (DGifGetRecordType(gif, &record) == GIF_ERROR) return false;
    if (record == EXTENSION_RECORD_TYPE && !read_extension(gif, transparent)) return false;
  } while (record != IMAGE_DESC_RECORD_TYPE && record != TERMINATE_RECORD_TYPE);
  return true;
}

// The rows of a frame in the order in which they are stored.
std::vector<int> row_order(const GifImageDesc& frame) {
  std::vector<int> rows;
  if (!frame.Interlace) {
    for (int y = 0; y < frame.Height; ++y) rows.push_back(y);
    return rows;
  }
  constexpr int kPasses[][2] = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};  // first row, step
  for (const auto& [first, step] : kPasses) {
    for (int y = first; y < frame.Height; y += step) rows.push_back(y);
  }
  return rows;
}

// False at damage.
bool draw_frame(GifFileType* gif, int transparent, Image& image) {
  const GifImageDesc& frame = gif->Image;
  const ColorMapObject* colours = frame.ColorMap != nullptr ? frame.ColorMap : gif->SColorMap;
  if (colours == nullptr) return false;
  std::vector<GifPixelType> line(frame.Width);
  for (int y : row_order(frame)) {
    if (DGifGetLine(gif, line.data(), frame.Width) == GIF_ERROR) return false;
    uint8_t* rgb =
        image.rgb.data() + (static_cast<size_t>(frame.Top + y) * image.width_px + frame.Left) * 3;
    for (int x = 0; x < frame.Width; ++x, rgb += 3) {
      if (line[x] == transparent || line[x] >= colours->ColorCount) continue;
      const GifColorType& colour = colours->Colors[line[x]];
      rgb[0] = colour.Red;
      rgb[1] = colour.Green;
      rgb[2] = colour.Blue;
    }
  }
  return true;
}

// The rest of an animation, unread but whole. False at damage.
bool skip_to_end(GifFileType* gif) {
  GifRecordType record = UNDEFINED_RECORD_TYPE;
  int unused = NO_TRANSPARENT_COLOR;
  while (next_frame(gif, record, unused)) {
    if (record == TERMINATE_RECORD_TYPE) return true;
    if (!skip_frame(gif)) return false;
  }
  return false;
}

}  // namespace

Decoded decode_gif(Bytes file, const DecodeLimits& limits) {
  Source source{file};
  int error = 0;
  const Gif gif(DGifOpen(&source, read_source, &error));
  if (gif == nullptr) return failure(error);
  GifRecordType record = UNDEFINED_RECORD_TYPE;
  int transparent = NO_TRANSPARENT_COLOR;
  if (!next_frame(gif.get(), record, transparent)) return failure(gif->Error);
  if (record == TERMINATE_RECORD_TYPE) return damaged("no frame in it");
  if (DGifGetImageDesc(gif.get()) == GIF_ERROR) return failure(gif->Error);
  const GifImageDesc& frame = gif->Image;
  if (frame.Width <= 0 || frame.Height <= 0) return damaged("a frame of 0 pixels");
  // Some writers leave the screen smaller than the frame.
  const int width = std::max(gif->SWidth, frame.Left + frame.Width);
  const int height = std::max(gif->SHeight, frame.Top + frame.Height);
  if (auto refused = refusal(width, height, limits)) return *refused;
  Image image = blank_image(width, height, 3);
  std::ranges::fill(image.rgb, uint8_t{255});
  if (!draw_frame(gif.get(), transparent, image)) return failure(gif->Error);
  if (!skip_to_end(gif.get())) return failure(gif->Error);
  return image;
}

}  // namespace zeroshelf
