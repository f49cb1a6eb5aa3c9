#pragma once

// Pixels -> the bytes of a JPEG or PNG file.

#include <string>

#include "lib/image/image.h"

namespace zeroshelf {

// quality: 1 to 100. The picture has at least one pixel. Throws InvalidArgument for one that is too
// large: JPEG has 65,500 pixels a side at most.
// Threads: any number of calls may run together.
std::string encode_jpeg(const Image& image, int quality);

// Lossless. The rest as above.
std::string encode_png(const Image& image);

}  // namespace zeroshelf
