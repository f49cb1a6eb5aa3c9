#pragma once

// Inside models/clip: CLIP's two encoders (Radford et al. 2021), on libtorch. Names no libtorch
// type.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "lib/image/image.h"
#include "lib/util/matrix.h"
#include "models/clip/checkpoint.h"
#include "models/clip/load.h"

namespace zeroshelf {

// Threads: one call at a time.
class Network {
 public:
  // precision: Fp32 or Bf16. Converts only the wanted side. Throws Corruption naming the tensor.
  Network(std::shared_ptr<const Checkpoint> checkpoint, EncoderSide side, Precision precision);
  ~Network();

  // Square pictures of the model's size. Not normalised; [images, dimension].
  Matrix encode_images(std::span<const Image> images) const;

  // Token ids with start and end mark, each sequence at most the context length, every id within
  // the vocabulary. [sequences, dimension], not normalised.
  Matrix encode_tokens(std::span<const std::vector<int32_t>> sequences) const;

  float logit_scale() const;

 private:
  struct Weights;
  std::shared_ptr<const Checkpoint> checkpoint_;
  std::unique_ptr<Weights> weights_;
};

void set_network_threads(unsigned threads);

}  // namespace zeroshelf
