// The forward pass. Tested by tests/clip and tests/train.

#include "models/clip/forward.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace zeroshelf {
namespace {

using at::Tensor;

constexpr double kQuickGelu = 1.702;

Tensor layer_norm(const Tensor& x, const LayerNorm& norm, double epsilon) {
  return at::layer_norm(x, {x.size(-1)}, norm.weight, norm.bias, epsilon);
}

// The multiplication in the weights' type; the result too.
Tensor linear(const Tensor& x, const Linear& weights) {
  return at::linear(x.to(weights.weight.scalar_type()), weights.weight, weights.bias);
}

Tensor activate(const Tensor& x, Activation activation) {
  return activation == Activation::Gelu ? at::gelu(x) : x * at::sigmoid(x * kQuickGelu);
}

// x: [batch, length, width], float. mask: [length, length], added to the scores, or undefined.
Tensor attention(const Tensor& x, const Block& block, int64_t heads, const Tensor& mask) {
  const int64_t batch = x.size(0);
  const int64_t length = x.size(1);
  const int64_t head_width = x.size(2) / heads;
  const Tensor parts = linear(x, block.queries_keys_values)
                           .view({batch, length, 3, heads, head_width})
                           .permute({2, 0, 3, 1, 4});  // [3, batch, heads, length, head width]
  const Tensor queries = parts[0] / std::sqrt(static_cast<double>(head_width));
  Tensor scores = at::matmul(queries, parts[1].transpose(-2, -1)).to(at::kFloat);
  if (mask.defined()) scores = scores + mask;
  const Tensor weights = at::softmax(scores, -1).to(parts.scalar_type());
  const Tensor mixed =
      at::matmul(weights, parts[2]).transpose(1, 2).reshape({batch, length, x.size(2)});
  return linear(mixed, block.attention_out);
}

// The residual stream stays in fp32 whatever the multiplications compute in.
Tensor transform(Tensor x, const std::vector<Block>& blocks, const TransformerConfig& config,
                 double epsilon, const Tensor& mask) {
  for (const Block& block : blocks) {
    x = x + attention(layer_norm(x, block.before_attention, epsilon), block, config.heads, mask);
    const Tensor hidden =
        activate(linear(layer_norm(x, block.before_mlp, epsilon), block.mlp_in), config.activation);
    x = x + linear(hidden, block.mlp_out);
  }
  return x;
}

// [images, 3, size, size] -> [images, patches, 3 * patch * patch], patches row by row.
Tensor patches_of(const Tensor& pixels, int64_t grid, int64_t patch) {
  const int64_t covered = grid * patch;
  return pixels.slice(2, 0, covered)
      .slice(3, 0, covered)
      .reshape({pixels.size(0), 3, grid, patch, grid, patch})
      .permute({0, 2, 4, 1, 3, 5})
      .reshape({pixels.size(0), grid * grid, 3 * patch * patch});
}

}  // namespace

// (sample / 255 - mean) / deviation, as [images, 3, size, size].
Tensor pixels_of(std::span<const Image> images, const Preprocessing& preprocessing) {
  const int64_t size = preprocessing.size_px;
  Tensor bytes = at::empty({static_cast<int64_t>(images.size()), size, size, 3}, at::kByte);
  for (size_t i = 0; i < images.size(); ++i) {
    assert(images[i].width_px == size && images[i].height_px == size);
    std::copy(images[i].rgb.begin(), images[i].rgb.end(),
              bytes.data_ptr<uint8_t>() + i * static_cast<size_t>(size * size * 3));
  }
  const auto channels = [](const std::array<float, 3>& values) {
    return at::tensor(at::ArrayRef<float>(values.data(), values.size())).view({3, 1, 1});
  };
  const Tensor scaled = bytes.permute({0, 3, 1, 2}).to(at::kFloat).div(255);
  return (scaled - channels(preprocessing.mean)) / channels(preprocessing.standard_deviation);
}

Tensor encode_pixels(const ImageWeights& weights, const ClipConfig& config, const Tensor& pixels,
                     const Tensor& kept_patches) {
  const Tensor patches = patches_of(pixels, config.grid(), config.patch_size_px);
  Tensor embedded = linear(patches, weights.patches).to(at::kFloat) + weights.positions.slice(0, 1);
  if (kept_patches.defined()) {
    embedded = embedded.gather(1, kept_patches.unsqueeze(-1).expand({-1, -1, config.image.width}));
  }
  const Tensor class_tokens = (weights.class_token + weights.positions[0])
                                  .expand({embedded.size(0), 1, config.image.width});
  Tensor x =
      layer_norm(at::cat({class_tokens, embedded}, 1), weights.before, config.image.epsilon);
  x = transform(x, weights.blocks, config.image, config.image.epsilon, {});
  const Tensor pooled = layer_norm(x.select(1, 0), weights.after, config.image.epsilon);
  return linear(pooled, weights.projection);
}

TokenBatch batch_of(std::span<const std::vector<int32_t>> sequences) {
  const auto batch = static_cast<int64_t>(sequences.size());
  size_t length = 1;
  for (const auto& sequence : sequences) length = std::max(length, sequence.size());

  // Attention looks back only, so what stands behind the end mark changes nothing: any padding will
  // do.
  TokenBatch tokens;
  tokens.ids = at::zeros({batch, static_cast<int64_t>(length)}, at::kLong);
  tokens.ends = at::empty({batch}, at::kLong);
  for (int64_t i = 0; i < batch; ++i) {
    const std::vector<int32_t>& sequence = sequences[static_cast<size_t>(i)];
    std::copy(sequence.begin(), sequence.end(),
              tokens.ids.data_ptr<int64_t>() + i * static_cast<int64_t>(length));
    // As the reference does: where the largest id stands first, which is the first end mark.
    tokens.ends.data_ptr<int64_t>()[i] =
        std::max_element(sequence.begin(), sequence.end()) - sequence.begin();
  }
  return tokens;
}

Tensor encode_tokens(const TextWeights& weights, const ClipConfig& config,
                     const TokenBatch& tokens) {
  const int64_t batch = tokens.ids.size(0);
  const int64_t length = tokens.ids.size(1);
  Tensor x = at::embedding(weights.tokens, tokens.ids).to(at::kFloat) +
             weights.positions.slice(0, 0, length);
  const Tensor mask =
      at::full({length, length}, -INFINITY, x.options().requires_grad(false)).triu(1);
  x = transform(x, weights.blocks, config.text, config.text.epsilon, mask);
  const Tensor pooled = x.index({at::arange(batch, tokens.ends.options()), tokens.ends});
  return linear(layer_norm(pooled, weights.after, config.text.epsilon), weights.projection);
}

}  // namespace zeroshelf
