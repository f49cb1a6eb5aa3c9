// BMP by OpenCV, once our own look at the header has shown that it will find every byte it wants:
// at the end of the input OpenCV prints.
// Tested by tests/image/decode_test.cc and tests/image/hostile_test.cc.
//
// Pixels of 16 and 32 bits are read here: OpenCV takes 32 bits for blue, green, red, whatever their
// masks say, and knows masks of 16 bits behind the oldest header only. The fourth byte of 32-bit
// pixels is padding far more often than alpha, so it is alpha only where a mask says so.

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>

#include "lib/image/decoders.h"

namespace zeroshelf {
namespace {

constexpr size_t kFileHeaderBytes = 14;
constexpr uint32_t kOldHeaderBytes = 12;  // of OS/2 1.x, with 16-bit dimensions
constexpr uint32_t kHeaderBytes = 40;

constexpr uint32_t kAlphaHeaderBytes = 56;  // from version 3 on a header has a mask of alpha
constexpr size_t kMasksAt = 54;             // behind or in the header, in all versions

enum Compression : uint32_t {
  kPlain = 0,
  kRle8 = 1,
  kRle4 = 2,
  kBitFields = 3,
  kAlphaBitFields = 6
};

struct Header {
  uint32_t pixel_offset = 0;
  uint64_t width = 0;
  uint64_t height = 0;
  bool is_top_down = false;
  uint16_t bits = 0;
  uint32_t compression = kPlain;
  uint32_t pixel_bytes = 0;  // of compressed pixels
  uint32_t colours = 0;      // of the palette
};

template <class T>
T number_at(Bytes file, size_t offset) {
  T value;
  std::memcpy(&value, file.data() + offset, sizeof value);
  return value;
}

// The file has at least both headers.
Header read_header(Bytes file) {
  Header header;
  header.pixel_offset = number_at<uint32_t>(file, 10);
  if (number_at<uint32_t>(file, 14) == kOldHeaderBytes) {
    header.width = number_at<uint16_t>(file, 18);
    header.height = number_at<uint16_t>(file, 20);
    header.bits = number_at<uint16_t>(file, 24);
    return header;
  }
  header.width = static_cast<uint64_t>(std::max(number_at<int32_t>(file, 18), 0));
  // Negative where the top row comes first.
  header.height = static_cast<uint64_t>(std::llabs(number_at<int32_t>(file, 22)));
  header.is_top_down = number_at<int32_t>(file, 22) < 0;
  header.bits = number_at<uint16_t>(file, 28);
  header.compression = number_at<uint32_t>(file, 30);
  header.pixel_bytes = number_at<uint32_t>(file, 34);
  header.colours = number_at<uint32_t>(file, 46);
  return header;
}

uint64_t stored_bytes(const Header& header) {
  if (header.compression == kRle8 || header.compression == kRle4) return header.pixel_bytes;
  return (header.width * header.bits + 31) / 32 * 4 * header.height;
}

// The bits of a pixel that are one channel, and what they are at most.
struct Mask {
  uint32_t bits = 0;

  uint8_t value_of(uint32_t pixel) const {
    if (bits == 0) return 0;
    const int shift = std::countr_zero(bits);
    const uint64_t most = bits >> shift;
    return static_cast<uint8_t>((uint64_t{(pixel & bits) >> shift} * 255 + most / 2) / most);
  }
};
using Masks = std::array<Mask, 4>;  // red, green, blue, alpha

bool has_masks(const Header& header) {
  return header.compression == kBitFields || header.compression == kAlphaBitFields;
}

// Nothing where the file has no room for what it says.
std::optional<Masks> masks_of(Bytes file, const Header& header, uint32_t header_bytes) {
  if (!has_masks(header)) {
    if (header.bits == 16) return Masks{{{0x7c00}, {0x3e0}, {0x1f}, {0}}};
    return Masks{{{0xff0000}, {0xff00}, {0xff}, {0}}};
  }
  const bool has_alpha =
      header_bytes >= kAlphaHeaderBytes || header.compression == kAlphaBitFields;
  const size_t count = has_alpha ? 4 : 3;
  if (file.size() < kMasksAt + count * sizeof(uint32_t)) return std::nullopt;
  Masks masks;
  for (size_t i = 0; i < count; ++i)
    masks.at(i).bits = number_at<uint32_t>(file, kMasksAt + i * sizeof(uint32_t));
  return masks;
}

// Pixels of 16 or 32 bits, all of which the file has.
Image decode_masked(Bytes file, const Header& header, const Masks& masks) {
  Image image = blank_image(header.width, header.height, 4);
  const size_t pixel_bytes = header.bits / 8;
  const size_t stride = (header.width * header.bits + 31) / 32 * 4;
  bool has_alpha = false;
  for (uint64_t y = 0; y < header.height; ++y) {
    const uint64_t stored = header.is_top_down ? y : header.height - 1 - y;
    const size_t line = header.pixel_offset + stored * stride;
    uint8_t* rgba = image.rgb.data() + y * header.width * 4;
    for (uint64_t x = 0; x < header.width; ++x, rgba += 4) {
      const size_t at = line + x * pixel_bytes;
      const uint32_t pixel =
          pixel_bytes == 2 ? number_at<uint16_t>(file, at) : number_at<uint32_t>(file, at);
      for (size_t c = 0; c < masks.size(); ++c) rgba[c] = masks.at(c).value_of(pixel);
      has_alpha = has_alpha || rgba[3] != 0;
    }
  }
  // An alpha that is zero everywhere was never written.
  if (!has_alpha) {
    for (size_t i = 3; i < image.rgb.size(); i += 4) image.rgb[i] = 255;
  }
  lay_on_ground(image.rgb);
  return image;
}

cv::Mat decode_padded(Bytes file, const Header& header) {
  // Run lengths may ask for more than there is; zeros end a row each.
  const size_t padding = 2 * header.height + 4096;
  std::vector<uint8_t> padded(file.size() + padding);
  std::memcpy(padded.data(), file.data(), file.size());
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  return cv::imdecode(padded, cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
}

}  // namespace

Decoded decode_bmp(Bytes file, const DecodeLimits& limits) {
  if (file.size() < kFileHeaderBytes + kOldHeaderBytes) return cut_short();
  const uint32_t header_bytes = number_at<uint32_t>(file, 14);
  if (header_bytes != kOldHeaderBytes && header_bytes < kHeaderBytes) {
    return unsupported("a kind of BMP of old OS/2", "convert it to PNG");
  }
  if (file.size() < uint64_t{kFileHeaderBytes} + header_bytes) return cut_short();
  const Header header = read_header(file);
  if (auto refused = refusal(header.width, header.height, limits)) return *refused;
  constexpr std::array kBits = {1, 4, 8, 16, 24, 32};
  const bool masked = header.bits == 16 || header.bits == 32;
  if ((header.compression > kBitFields && header.compression != kAlphaBitFields) ||
      std::ranges::find(kBits, header.bits) == kBits.end() || (has_masks(header) && !masked)) {
    return unsupported("an unusual kind of BMP", "convert it to PNG");
  }
  if (header.bits <= 8 && header.colours > 256)
    return damaged("a palette of more than 256 colours");
  if (header.pixel_offset + stored_bytes(header) > file.size()) return cut_short();
  if (masked) {
    const auto masks = masks_of(file, header, header_bytes);
    return masks ? Decoded(decode_masked(file, header, *masks)) : Decoded(cut_short());
  }
  const cv::Mat bgr = decode_padded(file, header);
  if (bgr.empty()) return damaged("not as BMP says");
  Image image = blank_image(bgr.cols, bgr.rows, 3);
  cv::Mat rgb(bgr.rows, bgr.cols, CV_8UC3, image.rgb.data());
  cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
  return image;
}

}  // namespace zeroshelf
