#pragma once

// Inside models/clip: CLIP's two encoders (Radford et al. 2021) for inference on the processor:
// weights packed once, activations and residuals inside the multiplications, everything between in
// vectorised kernels, no copies, memory reused. models/clip/forward.h is the same network in
// libtorch's operators, for training and as the tests' oracle.
//
// A picture's vector and a text's vector have the same bits whatever they are encoded together with
// and on however many threads: every row is computed by the same operations in the same order.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lib/image/image.h"
#include "lib/util/matrix.h"
#include "models/checkpoint/checkpoint.h"
#include "models/compute/kernels.h"
#include "models/clip/load.h"

namespace zeroshelf {

// Threads: any number of calls may run together. A call for several batches uses up to `threads`
// threads; one for a single batch computes in the calling thread.
class Network {
 public:
  virtual ~Network() = default;

  // Square pictures of the model's size. Not normalised; [images, dimension].
  virtual Matrix encode_images(std::span<const Image> images) = 0;

  // Token ids with start and end mark, each sequence at most the context length, every id within
  // the vocabulary. [sequences, dimension], not normalised.
  virtual Matrix encode_tokens(std::span<const std::vector<int32_t>> sequences) = 0;

  // Raw texts, of a network that cuts them into tokens itself; of others a logic error.
  // [texts, dimension], not normalised.
  virtual Matrix encode_texts(std::span<const std::string> texts);

  // What computes, for people, e.g. "amx-bf16" or "avx2".
  virtual std::string kernel() const = 0;

  // Pictures that are best encoded in one call of one thread.
  virtual size_t batch_images() const = 0;
};

// precision: Fp32 or Bf16; Bf16 is emulated where the processor lacks it. threads: 0: every core.
// Reads only the wanted side. Throws Corruption naming the tensor.
std::unique_ptr<Network> make_cpu_network(std::shared_ptr<const Checkpoint> checkpoint,
                                          EncoderSide side, Precision precision, unsigned threads);

// The same with these kernels, which outlive it.
std::unique_ptr<Network> make_cpu_network(std::shared_ptr<const Checkpoint> checkpoint,
                                          EncoderSide side, const clip_kernels::Kernels& kernels,
                                          unsigned threads);

}  // namespace zeroshelf
