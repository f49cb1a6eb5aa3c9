// BMP by OpenCV, once our own look at the header has shown that it will find every byte it wants:
// at the end of the input OpenCV prints.
// Tested by tests/image/decode_test.cc and tests/image/hostile_test.cc.
//
// The fourth byte of 32-bit pixels is padding far more often than alpha, so it is not used.

#include <cstdlib>
#include <cstring>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "lib/image/decoders.h"

namespace zeroshelf {
namespace {

constexpr size_t kFileHeaderBytes = 14;
constexpr uint32_t kOldHeaderBytes = 12;  // of OS/2 1.x, with 16-bit dimensions
constexpr uint32_t kHeaderBytes = 40;

enum Compression : uint32_t { kPlain = 0, kRle8 = 1, kRle4 = 2, kBitFields = 3 };

struct Header {
  uint32_t pixel_offset = 0;
  uint64_t width = 0;
  uint64_t height = 0;
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
    return damaged("not as BMP says");
  }
  if (file.size() < uint64_t{kFileHeaderBytes} + header_bytes) return cut_short();
  const Header header = read_header(file);
  if (auto refused = refusal(header.width, header.height, limits)) return *refused;
  if (header.compression > kBitFields || header.bits > 32) {
    return Skip{SkipReason::NotAPicture,
                "not a picture that can be read: an unusual kind of BMP; convert it to PNG"};
  }
  if (header.bits <= 8 && header.colours > 256)
    return damaged("a palette of more than 256 colours");
  if (header.pixel_offset + stored_bytes(header) > file.size()) return cut_short();
  const cv::Mat bgr = decode_padded(file, header);
  if (bgr.empty()) return damaged("not as BMP says");
  Image image = blank_image(bgr.cols, bgr.rows, 3);
  cv::Mat rgb(bgr.rows, bgr.cols, CV_8UC3, image.rgb.data());
  cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
  return image;
}

}  // namespace zeroshelf
