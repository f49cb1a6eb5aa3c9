// Tested by tests/image/thumbnail_test.cc.

#include "lib/image/encode_jpeg.h"

#include <cstdint>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "lib/util/error.h"

namespace zeroshelf {

namespace {

std::string encode(const Image& image, const char* format, const char* ending,
                   const std::vector<int>& parameters) {
  const cv::Mat rgb(image.height_px, image.width_px, CV_8UC3,
                    const_cast<uint8_t*>(image.rgb.data()));
  cv::Mat bgr;
  std::vector<uint8_t> bytes;
  try {
    cv::cvtColor(rgb, bgr, cv::COLOR_RGB2BGR);
    cv::imencode(ending, bgr, bytes, parameters);
  } catch (const cv::Exception& error) {
    throw Error(ErrorCode::Unavailable, format, "OpenCV cannot write it: " + error.err,
                std::string("install OpenCV with ") + format);
  }
  return {bytes.begin(), bytes.end()};
}

}  // namespace

std::string encode_jpeg(const Image& image, int quality) {
  return encode(image, "JPEG", ".jpg",
                {cv::IMWRITE_JPEG_QUALITY, quality, cv::IMWRITE_JPEG_OPTIMIZE, 1});
}

std::string encode_png(const Image& image) {
  return encode(image, "PNG", ".png", {});
}

}  // namespace zeroshelf
