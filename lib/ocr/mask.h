#pragma once

// Blanking words out of a picture, so that what the picture shows can be told from what it says.

#include <vector>

#include "lib/image/image.h"
#include "lib/image/preprocess.h"
#include "lib/util/words.h"

namespace zeroshelf {

// The box's place in the square that resize_and_crop makes of a picture of width_px x height_px; it may reach beyond the square.
Box box_in_crop(const Box& box, int width_px, int height_px, const Preprocessing& preprocessing);

// The picture with the boxes, and a margin of a quarter of their height around each, filled from
// what surrounds them (Telea, "An image inpainting technique based on the fast marching method",
// 2004). Boxes may reach beyond the picture. A picture that is all boxes becomes grey.
// Cost: some milliseconds at 224 x 224; it goes with the blanked area.
// Threads: any number of calls may run together.
Image blank_out(const Image& image, const std::vector<Box>& boxes);

}  // namespace zeroshelf
