#pragma once

// Inside models/clip: how the tensors of a CLIP checkpoint are called, in both schemes. Names and
// shapes only; nothing is read.

#include <cstdint>
#include <string>
#include <vector>

#include "models/checkpoint/checkpoint.h"

namespace zeroshelf {

struct NormNames {
  std::string weight;
  std::string bias;
};

// One multiplication. Several parts stand below each other and have one shape: queries, keys and
// values are one matrix for OpenAI and three for Hugging Face.
struct LinearNames {
  std::vector<std::string> weights;
  std::vector<std::string> biases;  // empty: none
  int64_t in = 0;
  int64_t out = 0;             // of each part
  std::vector<int64_t> shape;  // of each part's weight on disk: [out, in] but for convolutions
  bool is_transposed = false;  // it is [in, out] on disk
};

struct BlockNames {
  NormNames before_attention;
  LinearNames queries_keys_values;
  LinearNames attention_out;
  NormNames before_mlp;
  LinearNames mlp_in;
  LinearNames mlp_out;
};

struct ImageNames {
  LinearNames patches;
  std::string class_token;
  std::string positions;
  NormNames before;
  std::vector<BlockNames> blocks;
  NormNames after;
  LinearNames projection;
};

struct TextNames {
  std::string tokens;
  std::string positions;
  std::vector<BlockNames> blocks;
  NormNames after;
  LinearNames projection;
};

ImageNames image_names(const ClipConfig& config, TensorNames scheme);
TextNames text_names(const ClipConfig& config, TensorNames scheme);

}  // namespace zeroshelf
