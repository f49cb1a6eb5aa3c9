#pragma once

// PIL's antialiased resampling, of a part of the result only; private to lib/image.

#include <cstdint>

#include "lib/image/image.h"
#include "lib/image/preprocess.h"

namespace zeroshelf {

// A rectangle of the resized picture.
struct Window {
  int64_t x = 0;
  int64_t y = 0;
  int width = 0;
  int height = 0;
};

// The window of the picture resized to width x height. The pixels are the same that a resize of the
// whole and a crop would give; time and memory go with the window and the source, not with
// width x height. The window lies inside the result and is not empty.
Image resample(const Image& image, Filter filter, int64_t width, int64_t height,
               const Window& window);

}  // namespace zeroshelf
