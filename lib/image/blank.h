#pragma once

// Pictures without anything in them.

#include "lib/image/image.h"

namespace zeroshelf {

// Whether there is nothing to see: each channel has nearly one value all over.
bool is_blank(const Image& image);

}  // namespace zeroshelf
