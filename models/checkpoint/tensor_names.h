#pragma once

// Inside models/clip: how the tensors of a CLIP checkpoint are called, in both schemes. Names and
// shapes only; nothing is read.

#include <cstdint>
#include <set>
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
  // [out] factors of the result, bias included; empty: none
  std::string factors = {};
  // [heads, 1, 1] factors of what comes in, each of in / heads inputs; empty: none
  std::string head_factors = {};
  int64_t heads = 0;
};

struct BlockNames {
  NormNames before_attention;  // and before_mlp: behind it, with is_normed_after
  LinearNames queries_keys_values;
  LinearNames attention_out;
  NormNames before_mlp;
  LinearNames mlp_in;
  LinearNames mlp_out;
  // Empty without: of each head's queries and keys, [width / heads], and in the MLP, [its width]
  NormNames queries = {};
  NormNames keys = {};
  NormNames in_mlp = {};
};

// A learned query and what it is answered by: attention over all states, and an MLP.
struct PoolNames {
  std::string query;  // [1, 1, width]; empty: there is no such pool
  // Queries, keys and values below each other in one matrix or two: the parts and their rows.
  std::vector<std::string> weights;
  std::vector<std::string> biases;
  std::vector<int64_t> rows;
  LinearNames attention_out;
  NormNames before_mlp;
  LinearNames mlp_in;
  LinearNames mlp_out;
};

// Learned queries in the shared space, and what they find in all states: ImagePool::Queries.
struct QueriesPoolNames {
  std::string queries;  // [queries, dimension]; empty: there is no such pool
  NormNames of_queries;
  NormNames of_states;
  std::string query_weight;  // [dimension, dimension]
  std::string key_weight;    // [dimension, width], and value_weight
  std::string value_weight;
  std::string bias;  // [3 dimension]
  LinearNames out;
};

struct ImageNames {
  LinearNames patches;
  std::string class_token;  // empty without one
  std::vector<int64_t> class_token_shape;
  std::string positions;
  std::vector<int64_t> positions_shape;
  NormNames before;  // empty without one
  std::vector<BlockNames> blocks;
  NormNames after;
  PoolNames pool;
  QueriesPoolNames queries_pool;
  LinearNames projection;  // without weights: none
};

struct TextNames {
  std::string tokens;
  std::string positions;
  std::vector<BlockNames> blocks;
  NormNames after;         // empty without one
  LinearNames hidden;      // the first of an MLP in place of a projection; without weights: none
  LinearNames projection;  // without weights: none
  std::string kinds;       // [1, width], added to every token; empty without it
  NormNames embedded;      // of the tokens before the blocks; empty without one
};

// A convolution without bias, and the normalisation by running means behind it.
struct ConvolutionNames {
  std::string weight;
  std::vector<int64_t> shape;  // [out, in, side, side]
  std::string norm;            // ".weight", ".bias", ".running_mean" and ".running_var" follow
};

struct BottleneckNames {
  bool is_halving = false;
  ConvolutionNames reduce;
  ConvolutionNames look_around;
  ConvolutionNames expand;
  ConvolutionNames shortcut;  // without weight: none
};

struct ResNetNames {
  std::vector<ConvolutionNames> stem;
  std::vector<BottleneckNames> blocks;
  std::string positions;
  std::vector<int64_t> positions_shape;
  LinearNames queries_keys_values;
  LinearNames projection;
};

ResNetNames resnet_names(const ClipConfig& config);

ImageNames image_names(const ClipConfig& config, TensorNames scheme);
// prefix: before the names of OpenAI's scheme, where the text tower is a module of its own ("text.").
TextNames text_names(const ClipConfig& config, TensorNames scheme, const std::string& prefix = "");

// Every tensor that the towers read, by name.
std::set<std::string> tensor_names(const ClipConfig& config, TensorNames scheme,
                                   const std::string& prefix);

}  // namespace zeroshelf
