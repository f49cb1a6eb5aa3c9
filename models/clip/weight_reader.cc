// Tested by tests/clip: every network is read by it.

#include "models/clip/weight_reader.h"

#include <algorithm>

namespace zeroshelf {
namespace {

After after_of(Activation activation) {
  switch (activation) {
    case Activation::QuickGelu:
      break;
    case Activation::Gelu:
      return After::Gelu;
    case Activation::GeluTanh:
      return After::GeluTanh;
  }
  return After::QuickGelu;
}

void append(std::vector<float>& to, const std::vector<float>& values) {
  to.insert(to.end(), values.begin(), values.end());
}

}  // namespace

NormWeights WeightReader::norm(const NormNames& names, const TransformerConfig& config) const {
  return norm(names, config.width, config.epsilon);
}

NormWeights WeightReader::norm(const NormNames& names, int64_t width, double epsilon) const {
  return {floats(names.weight, {width}), floats(names.bias, {width}), static_cast<float>(epsilon)};
}

std::optional<NormWeights> WeightReader::norm_if_named(const NormNames& names, int64_t width,
                                                       double epsilon) const {
  if (names.weight.empty()) return std::nullopt;
  return norm(names, width, epsilon);
}

PackedLinear WeightReader::linear(const LinearNames& names, After after) const {
  std::vector<float> bias;
  for (const std::string& name : names.biases) append(bias, floats(name, {names.out}));
  if (!names.factors.empty() || !names.head_factors.empty()) {
    std::vector<float> weights = matrix(names);
    if (!names.factors.empty()) multiply_rows(names, weights, bias);
    if (!names.head_factors.empty()) multiply_heads(names, weights);
    return packed(names.in, names.out, weights, bias, after);
  }
  PackedLinear::Options options;
  options.in = static_cast<size_t>(names.in);
  options.out = static_cast<size_t>(names.out) * names.weights.size();
  options.after = after;
  std::vector<std::vector<float>> kept;
  return {kernels_, options, parts(names, kept), bias};
}

PackedLinear WeightReader::packed(int64_t in, int64_t out, std::span<const float> weights,
                                  std::span<const float> bias, After after) const {
  PackedLinear::Options options;
  options.in = static_cast<size_t>(in);
  options.out = static_cast<size_t>(out);
  options.after = after;
  return {kernels_, options, std::span(&weights, 1), bias};
}

CpuBlock WeightReader::block(const BlockNames& names, const TransformerConfig& config) const {
  return {false,
          norm(names.before_attention, config),
          linear(names.queries_keys_values, After::Nothing),
          linear(names.attention_out, After::AddToResult),
          norm(names.before_mlp, config),
          linear(names.mlp_in, after_of(config.activation)),
          linear(names.mlp_out, After::AddToResult),
          norm_if_named(names.queries, config.width / config.heads, config.epsilon),
          norm_if_named(names.keys, config.width / config.heads, config.epsilon),
          norm_if_named(names.in_mlp, config.mlp_width, config.epsilon)};
}

CpuBlock WeightReader::pool(const PoolNames& names, const NormNames& before,
                            const TransformerConfig& config) const {
  const auto width = static_cast<size_t>(config.width);
  std::vector<float> weights;
  std::vector<float> bias;
  for (size_t i = 0; i < names.weights.size(); ++i) {
    append(weights, floats(names.weights[i], {names.rows[i], config.width}));
    append(bias, floats(names.biases[i], {names.rows[i]}));
  }
  const std::vector<float> query = floats(names.query, {1, 1, config.width});
  for (size_t row = 0; row < width; ++row) {
    for (size_t i = 0; i < width; ++i) bias[row] += weights[row * width + i] * query[i];
  }
  std::fill_n(weights.begin(), width * width, 0.0f);
  return {true,
          norm(before, config),
          packed(config.width, 3 * config.width, weights, bias, After::Nothing),
          linear(names.attention_out, After::AddToResult),
          norm(names.before_mlp, config),
          linear(names.mlp_in, after_of(config.activation)),
          linear(names.mlp_out, After::AddToResult)};
}

// The matrices below each other, where they lie in the file if they can be taken as they are.
std::vector<std::span<const float>> WeightReader::parts(
    const LinearNames& names, std::vector<std::vector<float>>& kept) const {
  const bool is_cut = names.weights.size() == 1 ||
                      static_cast<size_t>(names.out) % clip_kernels::kPackedOut == 0;
  if (names.is_transposed || !is_cut) {
    kept.push_back(matrix(names));
    return {kept.back()};
  }
  std::vector<std::span<const float>> parts;
  kept.reserve(names.weights.size());
  for (const std::string& name : names.weights) {
    const TensorView& view = tensor_of(checkpoint_, name, names.shape);
    const auto* floats = reinterpret_cast<const float*>(view.bytes.data());
    if (view.type == TensorType::F32 &&
        reinterpret_cast<uintptr_t>(floats) % alignof(float) == 0) {
      parts.emplace_back(floats, view.bytes.size() / sizeof(float));
    } else {
      kept.push_back(floats_of(checkpoint_, name, names.shape));
      parts.emplace_back(kept.back());
    }
  }
  return parts;
}

// [out of all parts, in].
std::vector<float> WeightReader::matrix(const LinearNames& names) const {
  const auto size = static_cast<size_t>(names.in * names.out);
  std::vector<float> values(size * names.weights.size());
  for (size_t i = 0; i < names.weights.size(); ++i) {
    copy_floats(tensor_of(checkpoint_, names.weights[i], names.shape),
                std::span(values).subspan(i * size, size));
  }
  if (!names.is_transposed) return values;
  std::vector<float> turned(values.size());
  for (int64_t i = 0; i < names.in; ++i) {
    for (int64_t j = 0; j < names.out; ++j) turned[j * names.in + i] = values[i * names.out + j];
  }
  return turned;
}

// By the factors of the results, so that they need no step of their own.
void WeightReader::multiply_rows(const LinearNames& names, std::vector<float>& weights,
                                 std::vector<float>& bias) const {
  const std::vector<float> factors = floats(names.factors, {names.out});
  const auto in = static_cast<size_t>(names.in);
  for (size_t row = 0; row < factors.size(); ++row) {
    for (size_t i = 0; i < in; ++i) weights[row * in + i] *= factors[row];
    if (!bias.empty()) bias[row] *= factors[row];
  }
}

// What a head brings by its factor, in the multiplication behind it.
void WeightReader::multiply_heads(const LinearNames& names, std::vector<float>& weights) const {
  const std::vector<float> factors = floats(names.head_factors, {names.heads, 1, 1});
  const auto in = static_cast<size_t>(names.in);
  const size_t head_width = in / factors.size();
  for (size_t i = 0; i < weights.size(); ++i) weights[i] *= factors[i % in / head_width];
}

}  // namespace zeroshelf
