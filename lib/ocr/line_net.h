#pragma once

// Inside lib/ocr: how probable it is that a row of glyphs is text, by looking at it.
//
// A network of 8,000 weights (line_kernel.h) over the row's samples, made level and small, and over
// its LineFeatures. zeroshelf-train-lines trained it on the drawn pictures of the development set
// of
// ./dev bench ocr, on drawn textures and on photographs without text; its weights are in
// line_weights.inc. Text of any script counts, on its head too.
//
// The same samples give the same bits on every processor. Threads: any number of calls may run
// together.

#include <array>
#include <cstdint>
#include <span>

#include "lib/ocr/line_kernel.h"
#include "lib/ocr/text_lines.h"

namespace zeroshelf {

// A row of glyphs as the network sees it: ink 170, what lies around 85, row by row.
struct LineLook {
  static constexpr int kRows = 16;
  static constexpr int kMostColumns = 128;

  int columns = 0;                                                         // a multiple of 8
  std::array<uint8_t, static_cast<size_t>(kRows) * kMostColumns> samples;  // of each row `columns`
};

// Long lines show their middle.
LineLook look_of(const TextLine& line);

// The features as the network takes them: bounded, about as large as one.
std::array<float, LineNetShape::kFeatures> network_features(const LineFeatures& features);

// 0 to 1.
float text_probability(const TextLine& line);

}  // namespace zeroshelf
