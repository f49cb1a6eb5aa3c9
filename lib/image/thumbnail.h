#pragma once

// A picture -> a small JPEG file of it, to be shown beside other evidence.

#include <string>

#include "lib/image/image.h"

namespace zeroshelf {

struct Thumbnail {
  int width_px = 0;
  int height_px = 0;
  std::string jpeg;  // the bytes of a whole file
};

struct ThumbnailOptions {
  int longer_side_px = 160;
  int quality = 75;  // 1 to 100
};

// The whole picture with its longer side at most longer_side_px and its proportions kept (a side
// is at least one pixel); a smaller picture keeps its size. The picture is not empty.
// Threads: any number of calls may run together.
Image shrunk(const Image& image, int longer_side_px);

// Shrunk, as a file. Throws Unavailable when there is no JPEG encoder.
Thumbnail make_thumbnail(const Image& image, const ThumbnailOptions& options = {});

}  // namespace zeroshelf
