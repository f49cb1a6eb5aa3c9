#pragma once

// What one training step sees. A batch follows from the seed and the step's number alone, so a
// training that was interrupted goes on with the same pictures. Knows no libtorch.

#include <cstdint>
#include <vector>

#include "lib/image/image.h"
#include "models/text/tokenizer.h"
#include "models/train/generator.h"
#include "models/train/glossary.h"

namespace zeroshelf::train {

struct BatchOptions {
  uint64_t seed = 1;
  size_t pictures = 256;
  size_t text_pairs = 128;
  size_t longest_text = 40;  // tokens; what is longer is cut
  int image_size_px = 96;
  double easy_steps = 500;  // over which the pictures become as hard as they stay
};

struct Batch {
  using Tokens = std::vector<int32_t>;
  // picture[i] goes with caption[i]; caption j describes picture i when its key is one of the
  // picture's.
  std::vector<Image> images;
  std::vector<Content> contents;
  std::vector<Tokens> captions;
  std::vector<uint64_t> caption_keys;
  // one[i] means what other[j] means when their keys are equal.
  std::vector<Tokens> ones;
  std::vector<Tokens> others;
  std::vector<uint64_t> pair_keys;
};

// Start mark, text, end mark; cut to at most longest tokens.
std::vector<int32_t> marked_tokens(const Tokenizer& tokenizer, const std::string& text,
                                   size_t longest);

Batch make_batch(const Generator& generator, const Glossary& glossary, const Tokenizer& tokenizer,
                 const BatchOptions& options, uint64_t step);

}  // namespace zeroshelf::train
