// GIF by giflib: the first frame on the logical screen that is not blank, with those before it
// below. What they leave open or transparent is the ground.
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

// canvas: R, G, B, A, in rows of width_px. False at damage.
bool draw_frame(GifFileType* gif, int transparent, std::vector<uint8_t>& canvas, int width_px) {
  const GifImageDesc& frame = gif->Image;
  const ColorMapObject* colours = frame.ColorMap != nullptr ? frame.ColorMap : gif->SColorMap;
  if (colours == nullptr) return false;
  std::vector<GifPixelType> line(frame.Width);
  for (int y : row_order(frame)) {
    if (DGifGetLine(gif, line.data(), frame.Width) == GIF_ERROR) return false;
    uint8_t* rgba =
        canvas.data() + (static_cast<size_t>(frame.Top + y) * width_px + frame.Left) * 4;
    for (int x = 0; x < frame.Width; ++x, rgba += 4) {
      if (line[x] == transparent || line[x] >= colours->ColorCount) continue;
      const GifColorType& colour = colours->Colors[line[x]];
      rgba[0] = colour.Red;
      rgba[1] = colour.Green;
      rgba[2] = colour.Blue;
      rgba[3] = 255;
    }
  }
  return true;
}

// Whether the file ends where a block ends, so that only the mark of its end is missing.
bool lacks_only_its_end(const GifFileType* gif, const Source& source) {
  return source.left.empty() && gif->Error == D_GIF_ERR_READ_FAILED;
}

// Reads up to the next frame or the end, of which the mark may be missing. False at damage.
bool next_of_more(GifFileType* gif, const Source& source, GifRecordType& record, int& transparent) {
  const bool at_end = source.left.empty();
  transparent = NO_TRANSPARENT_COLOR;
  if (next_frame(gif, record, transparent)) return true;
  if (!at_end || !lacks_only_its_end(gif, source)) return false;
  record = TERMINATE_RECORD_TYPE;
  return true;
}

// The rest of an animation, unread but whole. False at damage.
bool skip_to_end(GifFileType* gif, const Source& source) {
  GifRecordType record = UNDEFINED_RECORD_TYPE;
  int unused = NO_TRANSPARENT_COLOR;
  while (next_of_more(gif, source, record, unused)) {
    if (record == TERMINATE_RECORD_TYPE) return true;
    if (!skip_frame(gif)) return false;
  }
  return false;
}

// The frame lies on the canvas, which is as large as the first one asks for.
bool is_within(const GifImageDesc& frame, int width, int height) {
  return frame.Width > 0 && frame.Height > 0 && frame.Left <= width - frame.Width &&
         frame.Top <= height - frame.Height;
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
  Image canvas = blank_image(width, height, 4);  // four channels until the end
  FrameBudget budget(static_cast<uint64_t>(width) * height);
  for (;;) {
    if (!draw_frame(gif.get(), transparent, canvas.rgb, width)) return failure(gif->Error);
    if (!is_blank_on_ground(canvas.rgb) || !budget.allows_one_more()) break;
    if (!next_of_more(gif.get(), source, record, transparent)) return failure(gif->Error);
    if (record == TERMINATE_RECORD_TYPE) break;
    if (DGifGetImageDesc(gif.get()) == GIF_ERROR) return failure(gif->Error);
    if (!is_within(gif->Image, width, height)) return damaged("a frame beyond the screen");
  }
  if (record != TERMINATE_RECORD_TYPE && !skip_to_end(gif.get(), source))
    return failure(gif->Error);
  lay_on_ground(canvas.rgb);
  return canvas;
}

}  // namespace zeroshelf
