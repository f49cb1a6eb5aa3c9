// EXIF orientation: reading it and applying it.
// Tested by tests/image/decode_test.cc.

#include <libexif/exif-data.h>

#include <cstring>
#include <memory>
#include <opencv2/core.hpp>

#include "lib/image/decoders.h"

namespace zeroshelf {
namespace {

constexpr std::string_view kPrefix("Exif\0\0", 6);
// JPEG cannot hold more; the other formats can, and none needs to.
constexpr size_t kMaxExifBytes = 1 << 16;

using ExifBlock = std::unique_ptr<ExifData, decltype(&exif_data_unref)>;

// libexif wants the prefix that JPEG has and the other formats lack.
std::vector<uint8_t> with_prefix(Bytes exif) {
  std::vector<uint8_t> block(as_uint8(exif), as_uint8(exif) + exif.size());
  if (block.size() < kPrefix.size() || std::memcmp(block.data(), kPrefix.data(), 4) != 0) {
    block.insert(block.begin(), kPrefix.begin(), kPrefix.end());
  }
  return block;
}

enum class Mirror { None, LeftRight, UpDown, Both };

// How the stored picture becomes upright: rows and columns swapped first, then mirrored.
struct Turn {
  bool swap;
  Mirror mirror;
};

constexpr Turn kTurns[9] = {
    {false, Mirror::None},     {false, Mirror::None},   {false, Mirror::LeftRight},
    {false, Mirror::Both},     {false, Mirror::UpDown}, {true, Mirror::None},
    {true, Mirror::LeftRight}, {true, Mirror::Both},    {true, Mirror::UpDown},
};

int flip_code(Mirror mirror) {
  return mirror == Mirror::LeftRight ? 1 : mirror == Mirror::UpDown ? 0 : -1;
}

cv::Mat view_of(Image& image) {
  return {image.height_px, image.width_px, CV_8UC3, image.rgb.data()};
}

Image swapped(Image& image) {
  Image result = blank_image(image.height_px, image.width_px, 3);
  cv::Mat target = view_of(result);
  cv::transpose(view_of(image), target);
  return result;
}

}  // namespace

int exif_orientation(Bytes exif) {
  if (exif.empty() || exif.size() > kMaxExifBytes) return 1;
  const std::vector<uint8_t> block = with_prefix(exif);
  const ExifBlock data(exif_data_new(), exif_data_unref);
  if (data == nullptr) return 1;
  exif_data_load_data(data.get(), block.data(), static_cast<unsigned>(block.size()));
  const ExifEntry* entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
  if (entry == nullptr || entry->format != EXIF_FORMAT_SHORT || entry->size < 2) return 1;
  return exif_get_short(entry->data, exif_data_get_byte_order(data.get()));
}

Image upright(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const Turn turn = kTurns[orientation];
  if (turn.swap) image = swapped(image);
  if (turn.mirror != Mirror::None) {
    cv::Mat view = view_of(image);
    cv::flip(view, view, flip_code(turn.mirror));
  }
  return image;
}

}  // namespace zeroshelf
