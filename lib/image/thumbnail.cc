// Tested by tests/image/thumbnail_test.cc.

#include "lib/image/thumbnail.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <utility>
#include <vector>

#include "lib/image/preprocess.h"
#include "lib/util/error.h"

namespace zeroshelf {
namespace {

Image shrunk(const Image& image, int longer_side_px) {
  const int longer = std::max(image.width_px, image.height_px);
  const double scale = std::min(1.0, static_cast<double>(longer_side_px) / longer);
  const auto scaled = [scale](int side_px) {
    return std::max(1, static_cast<int>(std::lround(side_px * scale)));
  };
  return resize_bicubic(image, scaled(image.width_px), scaled(image.height_px));
}

std::string jpeg_file(Image image, int quality) {
  cv::Mat pixels(image.height_px, image.width_px, CV_8UC3, image.rgb.data());
  std::vector<uint8_t> bytes;
  try {
    cv::cvtColor(pixels, pixels, cv::COLOR_RGB2BGR);
    cv::imencode(".jpg", pixels, bytes,
                 {cv::IMWRITE_JPEG_QUALITY, quality, cv::IMWRITE_JPEG_OPTIMIZE, 1});
  } catch (const cv::Exception& error) {
    throw Error(ErrorCode::Unavailable, "JPEG", "OpenCV cannot write it: " + error.err,
                "install OpenCV with JPEG");
  }
  return {bytes.begin(), bytes.end()};
}

}  // namespace

Thumbnail make_thumbnail(const Image& image, const ThumbnailOptions& options) {
  Image small = shrunk(image, options.longer_side_px);
  const int width_px = small.width_px;
  const int height_px = small.height_px;
  return {width_px, height_px, jpeg_file(std::move(small), options.quality)};
}

}  // namespace zeroshelf
