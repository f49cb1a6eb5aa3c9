#pragma once

// Inside models/clip: a checkpoint's tensors as our kernels multiply them.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/checkpoint/checkpoint.h"
#include "models/checkpoint/tensor_names.h"
#include "models/compute/kernels.h"
#include "models/compute/packed_linear.h"

namespace zeroshelf {

struct NormWeights {
  std::vector<float> weight;
  std::vector<float> bias;
  float epsilon;

  clip_kernels::Norm norm() const { return {weight.data(), bias.data(), epsilon}; }
};

struct CpuBlock {
  bool drops_input = false;  // nothing is added to what attention brings: of a pool
  NormWeights before_attention;
  PackedLinear queries_keys_values;
  PackedLinear attention_out;
  NormWeights before_mlp;
  PackedLinear mlp_in;
  PackedLinear mlp_out;
  // Nothing without: see BlockNames
  std::optional<NormWeights> queries = {};
  std::optional<NormWeights> keys = {};
  std::optional<NormWeights> in_mlp = {};
};

// Every function throws Corruption naming the tensor. The checkpoint and the kernels outlive it.
class WeightReader {
 public:
  WeightReader(const Checkpoint& checkpoint, const Kernels& kernels)
      : checkpoint_(checkpoint), kernels_(kernels) {}

  const Kernels& kernels() const { return kernels_; }

  std::vector<float> floats(const std::string& name, const std::vector<int64_t>& shape) const {
    return floats_of(checkpoint_, name, shape);
  }
  NormWeights norm(const NormNames& names, const TransformerConfig& config) const;
  NormWeights norm(const NormNames& names, int64_t width, double epsilon) const;
  PackedLinear linear(const LinearNames& names, After after) const;
  // weights: [out, in]; bias: [out] or empty.
  PackedLinear packed(int64_t in, int64_t out, std::span<const float> weights,
                      std::span<const float> bias, After after) const;
  CpuBlock block(const BlockNames& names, const TransformerConfig& config) const;
  // A pool as a block of which one row is computed: its query does not depend on the picture, so it
  // stands in the bias, and the weights before it are 0. before: the norm of what it looks at.
  CpuBlock pool(const PoolNames& names, const NormNames& before,
                const TransformerConfig& config) const;

 private:
  std::vector<std::span<const float>> parts(const LinearNames& names,
                                            std::vector<std::vector<float>>& kept) const;
  std::vector<float> matrix(const LinearNames& names) const;
  std::optional<NormWeights> norm_if_named(const NormNames& names, int64_t width,
                                           double epsilon) const;
  void multiply_rows(const LinearNames& names, std::vector<float>& weights,
                     std::vector<float>& bias) const;
  void multiply_heads(const LinearNames& names, std::vector<float>& weights) const;

  const Checkpoint& checkpoint_;
  const Kernels& kernels_;
};

}  // namespace zeroshelf
