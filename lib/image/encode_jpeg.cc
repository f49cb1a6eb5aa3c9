// Tested by tests/image/encode_test.cc.

#include "lib/image/encode_jpeg.h"

#include <cstring>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace zeroshelf {

std::vector<std::byte> encode_jpeg(const Image& image, int quality) {
  const cv::Mat rgb(image.height_px, image.width_px, CV_8UC3,
                    const_cast<uint8_t*>(image.rgb.data()));
  cv::Mat bgr;
  cv::cvtColor(rgb, bgr, cv::COLOR_RGB2BGR);
  std::vector<uint8_t> file;
  cv::imencode(".jpg", bgr, file, {cv::IMWRITE_JPEG_QUALITY, quality});
  std::vector<std::byte> bytes(file.size());
  std::memcpy(bytes.data(), file.data(), file.size());
  return bytes;
}

}  // namespace zeroshelf
