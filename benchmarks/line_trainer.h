#pragma once

// Learns what tells rows of letters from rows of spots: the network of lib/ocr/line_kernel.h, by
// Adam (Kingma and Ba 2015) on the cross-entropy. Small enough to need no library.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lib/ocr/line_kernel.h"

namespace zeroshelf::train {

// One row of glyphs, as it is kept in a file.
struct LineSample {
  uint8_t is_text = 0;
  uint8_t is_held_out = 0;
  int16_t columns = 0;
  float features[LineNetShape::kFeatures] = {};
  uint8_t look[LineNetShape::kRows * LineNetShape::kMostColumns] = {};
};

// Each sample is seen `epochs` times, with other brightness and noise each time and now and then on
// its head. tell: a line after each epoch, with what happens to the samples that are held out. The
// same samples give the same weights.
std::vector<float> learn_lines(const std::vector<LineSample>& samples, int epochs,
                               const std::function<void(const std::string&)>& tell);

}  // namespace zeroshelf::train
