#pragma once

// CLIP's two encoders (Radford et al. 2021) as functions of their weights, on libtorch: the same
// code for inference and for training. Differentiable; runs where the weights are.

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

#include "lib/image/image.h"
#include "models/checkpoint/config.h"
#include "models/clip/weights.h"

namespace zeroshelf {

// (sample / 255 - mean) / deviation. Square pictures of preprocessing.size_px ->
// [images, 3, size, size], float, on the CPU.
at::Tensor pixels_of(std::span<const Image> images, const Preprocessing& preprocessing);

// pixels as pixels_of gives them -> [images, dimension], not normalised, in the weights' type.
// kept_patches: [images, kept], the patches that the encoder sees, the others are dropped (Li et
// al. 2023, "Scaling Language-Image Pre-training via Masking"); undefined: all.
at::Tensor encode_pixels(const ImageWeights& weights, const ClipConfig& config,
                         const at::Tensor& pixels, const at::Tensor& kept_patches = {});

struct TokenBatch {
  at::Tensor ids;   // [sequences, longest], int64
  at::Tensor ends;  // [sequences], where each one's end mark stands
};

// Token ids with start and end mark, each sequence at most the context length. On the CPU.
TokenBatch batch_of(std::span<const std::vector<int32_t>> sequences);

// [sequences, dimension], not normalised, in the weights' type.
at::Tensor encode_tokens(const TextWeights& weights, const ClipConfig& config,
                         const TokenBatch& tokens);

}  // namespace zeroshelf
