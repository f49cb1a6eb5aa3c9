#pragma once

// Pictures without a letter that look busy to whoever searches letters: leaves, stones, bricks,
// grass, sand, windows, stripes. Drawn, with all chance from the Random that is passed in.

#include "lib/image/image.h"
#include "lib/util/random.h"

namespace zeroshelf::train {

Image draw_texture(int width_px, int height_px, Random& random);

}  // namespace zeroshelf::train
