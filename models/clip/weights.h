#pragma once

// Inside models/clip: a checkpoint's tensors in the form in which libtorch computes and trains.

#include <ATen/ATen.h>

#include <functional>
#include <string>
#include <vector>

#include "models/checkpoint/checkpoint.h"

namespace zeroshelf {

struct LayerNorm {
  at::Tensor weight;  // [width], float
  at::Tensor bias;
};

struct Linear {
  at::Tensor weight;  // [out, in], of the computing type
  at::Tensor bias;    // [out], or undefined
};

struct Block {
  LayerNorm before_attention;
  Linear queries_keys_values;  // [3 width, width], in this order
  Linear attention_out;
  LayerNorm before_mlp;
  Linear mlp_in;
  Linear mlp_out;
};

struct ImageWeights {
  Linear patches;          // [width, 3 * patch * patch], no bias
  at::Tensor class_token;  // [width], float
  at::Tensor positions;    // [1 + patches, width], float
  LayerNorm before;
  std::vector<Block> blocks;
  LayerNorm after;
  Linear projection;  // [dimension, width], no bias
};

struct TextWeights {
  at::Tensor tokens;     // [vocabulary, width], of the type on disk; may be the mapped file itself
  at::Tensor positions;  // [context, width], float
  std::vector<Block> blocks;
  LayerNorm after;
  Linear projection;
};

// Where the tensors come from: a checkpoint's file, or a training run's parameters.
struct TensorSource {
  // The tensor of this name, of any floating type. Throws when there is none of this shape.
  std::function<at::Tensor(const std::string& name, const std::vector<int64_t>& shape)> find;
  TensorNames names = TensorNames::HuggingFace;
};

// Differentiable with respect to what the source gives.
ImageWeights read_image_weights(const TensorSource& source, const ClipConfig& config,
                                at::ScalarType computing_type);
TextWeights read_text_weights(const TensorSource& source, const ClipConfig& config,
                              at::ScalarType computing_type);

// Both check every shape against the configuration and throw Corruption naming the tensor.
ImageWeights read_image_weights(const Checkpoint& checkpoint, at::ScalarType computing_type);
TextWeights read_text_weights(const Checkpoint& checkpoint, at::ScalarType computing_type);

}  // namespace zeroshelf
