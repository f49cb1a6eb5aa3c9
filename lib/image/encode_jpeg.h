#pragma once

// Pixels -> the bytes of a JPEG file.

#include <cstddef>
#include <vector>

#include "lib/image/image.h"

namespace zeroshelf {

// quality: 1 to 100. The picture has at least one pixel.
// Threads: any number of calls may run together.
std::vector<std::byte> encode_jpeg(const Image& image, int quality);

}  // namespace zeroshelf
