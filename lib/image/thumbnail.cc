// Tested by tests/image/thumbnail_test.cc.

#include "lib/image/thumbnail.h"

#include <algorithm>
#include <cmath>

#include "lib/image/encode_jpeg.h"
#include "lib/image/preprocess.h"

namespace zeroshelf {

Image shrunk(const Image& image, int longer_side_px) {
  const int longer = std::max(image.width_px, image.height_px);
  const double scale = std::min(1.0, static_cast<double>(longer_side_px) / longer);
  const auto scaled = [scale](int side_px) {
    return std::max(1, static_cast<int>(std::lround(side_px * scale)));
  };
  return resize_bicubic(image, scaled(image.width_px), scaled(image.height_px));
}

Thumbnail make_thumbnail(const Image& image, const ThumbnailOptions& options) {
  const Image small = shrunk(image, options.longer_side_px);
  return {small.width_px, small.height_px, encode_jpeg(small, options.quality)};
}

}  // namespace zeroshelf
