// Tested by tests/image/preprocess_test.cc.

#include "lib/image/preprocess.h"

#include <algorithm>
#include <cassert>
#include <cstdint>

#include "lib/image/resample.h"

namespace zeroshelf {
namespace {

// Half of an excess, as Python rounds it: halves go to the even neighbour.
int64_t rounded_half(int64_t excess) {
  const int64_t half = excess / 2;
  return excess % 2 == 1 && half % 2 == 1 ? half + 1 : half;
}

}  // namespace

Image resize_bicubic(const Image& image, int width_px, int height_px) {
  return resample(image, Filter::Bicubic, width_px, height_px, {0, 0, width_px, height_px});
}

Image resize_and_crop(const Image& image, int size_px) {
  Preprocessing clip;
  clip.size_px = size_px;
  return resize_and_crop(image, clip);
}

Image resize_and_crop(const Image& image, const Preprocessing& preprocessing) {
  const int size_px = preprocessing.size_px;
  if (preprocessing.resize == Resize::Squash) {
    return resample(image, preprocessing.filter, size_px, size_px, {0, 0, size_px, size_px});
  }
  const int64_t shorter = std::min(image.width_px, image.height_px);
  const int64_t width = int64_t{size_px} * image.width_px / shorter;
  const int64_t height = int64_t{size_px} * image.height_px / shorter;
  return resample(
      image, preprocessing.filter, width, height,
      {rounded_half(width - size_px), rounded_half(height - size_px), size_px, size_px});
}

CropPlace crop_place(int width_px, int height_px, const Preprocessing& preprocessing) {
  const int size_px = preprocessing.size_px;
  if (preprocessing.resize == Resize::Squash) {
    return {static_cast<double>(size_px) / width_px, static_cast<double>(size_px) / height_px, 0,
            0};
  }
  const double scale = static_cast<double>(size_px) / std::min(width_px, height_px);
  const auto excess = [&](int side) {
    return rounded_half(int64_t{size_px} * side / std::min(width_px, height_px) - size_px);
  };
  return {scale, scale, excess(width_px), excess(height_px)};
}

void normalise_pixels(const Image& image, const Preprocessing& preprocessing,
                      std::span<float> out) {
  const size_t pixels = static_cast<size_t>(image.width_px) * image.height_px;
  assert(out.size() == 3 * pixels);
  for (size_t c = 0; c < 3; ++c) {
    std::array<float, 256> values;
    for (size_t sample = 0; sample < values.size(); ++sample) {
      values[sample] = (static_cast<float>(sample) / 255.0f - preprocessing.mean[c]) /
                       preprocessing.standard_deviation[c];
    }
    for (size_t i = 0; i < pixels; ++i) out[c * pixels + i] = values[image.rgb[3 * i + c]];
  }
}

}  // namespace zeroshelf
