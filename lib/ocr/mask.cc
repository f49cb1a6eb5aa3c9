// Tested by tests/ocr/mask_test.cc.

#include "lib/ocr/mask.h"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/photo.hpp>

#include "lib/image/preprocess.h"

namespace zeroshelf {
namespace {

constexpr double kMargin = 0.25;   // of a box's height: outlines and descenders lie outside of it
constexpr int kLeastMarginPx = 2;  // what resampling smears
constexpr double kRadiusPx = 3;    // of the neighbourhood that a pixel is filled from

cv::Mat mask_of(const Image& image, const std::vector<Box>& boxes) {
  cv::Mat mask = cv::Mat::zeros(image.height_px, image.width_px, CV_8U);
  for (const Box& box : boxes) {
    const int margin =
        std::max(kLeastMarginPx, static_cast<int>(std::lround(kMargin * box.height)));
    const cv::Rect grown(box.x - margin, box.y - margin, box.width + 2 * margin,
                         box.height + 2 * margin);
    mask(grown & cv::Rect(0, 0, image.width_px, image.height_px)) = 255;
  }
  return mask;
}

}  // namespace

Box box_in_crop(const Box& box, int width_px, int height_px, const Preprocessing& preprocessing) {
  const CropPlace place = crop_place(width_px, height_px, preprocessing);
  const auto low = [](int value, double scale, int64_t offset) {
    return static_cast<int>(std::floor(value * scale)) - static_cast<int>(offset);
  };
  const auto high = [](int value, double scale, int64_t offset) {
    return static_cast<int>(std::ceil(value * scale)) - static_cast<int>(offset);
  };
  const int left = low(box.x, place.scale_x, place.x);
  const int top = low(box.y, place.scale_y, place.y);
  return {left, top, high(box.x + box.width, place.scale_x, place.x) - left,
          high(box.y + box.height, place.scale_y, place.y) - top};
}

Image blank_out(const Image& image, const std::vector<Box>& boxes) {
  Image result = image;
  cv::Mat pixels(result.height_px, result.width_px, CV_8UC3, result.rgb.data());
  const cv::Mat mask = mask_of(image, boxes);
  const int blanked = cv::countNonZero(mask);
  if (blanked == 0) return result;
  if (static_cast<size_t>(blanked) == mask.total()) {
    pixels = cv::Scalar::all(128);
    return result;
  }
  cv::Mat filled;
  cv::inpaint(pixels, mask, filled, kRadiusPx, cv::INPAINT_TELEA);
  filled.copyTo(pixels);
  return result;
}

}  // namespace zeroshelf
