#pragma once

// What a model can do, on pictures and phrases from a seed that no training used. Knows no
// libtorch: the model is asked as the programs ask it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lib/encoder/encoder.h"
#include "lib/util/share.h"
#include "models/train/generator.h"

namespace zeroshelf::train {

struct FigureOptions {
  uint64_t seed = 4'000'000'007;  // no training may have this one
  size_t singles = 2000;          // pictures of one thing
  size_t found = 1000;            // pictures among which a caption finds its own
  size_t sentences = 2000;
  size_t scenes = 1000;
};

struct Figure {
  std::string name;
  Share share;
};

std::vector<Figure> measure_figures(const Generator& generator, Encoder& encoder,
                                    const FigureOptions& options);

// A Markdown table.
std::string as_table(const std::vector<Figure>& figures);

}  // namespace zeroshelf::train
