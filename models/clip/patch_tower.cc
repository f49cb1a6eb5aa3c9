// Tested by tests/clip/network_test.cc and golden_models_test.cc.

#include "models/clip/image_tower.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "models/clip/transformer.h"

namespace zeroshelf {
namespace {

void add(const float* a, const float* b, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) out[i] = a[i] + b[i];
}

bool is_normed_early(const ClipConfig& config) {
  return config.image_pool == ImagePool::Mean && !config.is_norm_after_mean;
}

// Whether the norm behind the blocks stands behind the pooling too.
bool is_normed_late(const ClipConfig& config) {
  return config.image_pool != ImagePool::Attention && !is_normed_early(config);
}

// The head's inputs are as wide as what the pool gives.
TransformerConfig head_config(const ClipConfig& config) {
  TransformerConfig head = config.image;
  if (config.image_pool == ImagePool::Queries) head.width = config.dimension;
  return head;
}

std::optional<NormWeights> norm_if(bool is_there, const NormNames& names,
                                   const TransformerConfig& config, const WeightReader& reader) {
  if (!is_there) return std::nullopt;
  return reader.norm(names, config);
}

// What the first of OpenCLIP's learned queries finds in all states; the others answer no question
// of ours. The query does not depend on the picture, so it stands in the bias of the multiplication
// that gives keys and values, with weights of 0 before it.
class QueriesPool {
 public:
  QueriesPool(const QueriesPoolNames& names, const ClipConfig& config, const WeightReader& reader)
      : kernels_(reader.kernels()),
        heads_(static_cast<size_t>(config.pool_heads)),
        width_(static_cast<size_t>(config.image.width)),
        dimension_(static_cast<size_t>(config.dimension)),
        of_states_(reader.norm(names.of_states, config.image.width, kEpsilon)),
        queries_keys_values_(read(names, config, reader)),
        out_(reader.linear(names.out, After::Nothing)) {}

  // The states in space.stream -> space.chosen, [images, dimension].
  void run(Workspace& space, std::span<const Sequence> images) const {
    const size_t rows = images.back().first + images.back().length;
    const Operand states = space.normalised.make(kernels_, rows, width_);
    kernels_.layer_norm(space.stream.floats(rows * width_), rows, width_, of_states_.norm(), states);
    const Operand parts = space.parts.make(kernels_, rows, 3 * dimension_);
    queries_keys_values_.run(states, rows, parts);
    const Operand mixed = space.mixed.make(kernels_, images.size(), dimension_);
    for (size_t i = 0; i < images.size(); ++i) {
      clip_kernels::AttentionShape shape;
      shape.length = images[i].length;
      shape.heads = heads_;
      shape.head_width = dimension_ / heads_;
      shape.end_query = 1;
      void* scratch =
          space.attention.bytes(kernels_.attention_scratch(shape.length, shape.head_width));
      kernels_.attention(parts, images[i].first, shape, scratch, mixed, i);
    }
    out_.run(mixed, images.size(), space.chosen.floats(images.size() * dimension_));
  }

 private:
  static constexpr double kEpsilon = 1e-5;  // OpenCLIP's own, whatever "norm_kwargs" say

  static PackedLinear read(const QueriesPoolNames& names, const ClipConfig& config,
                           const WeightReader& reader) {
    const int64_t dimension = config.dimension;
    const auto side = static_cast<size_t>(dimension);
    std::vector<float> query = reader.floats(names.queries, {config.pool_queries, dimension});
    const NormWeights norm = reader.norm(names.of_queries, dimension, kEpsilon);
    reader.kernels().layer_norm_floats(query.data(), 1, side, norm.norm(), query.data());
    std::vector<float> bias = reader.floats(names.bias, {3 * dimension});
    const std::vector<float> turn = reader.floats(names.query_weight, {dimension, dimension});
    for (size_t row = 0; row < side; ++row) {
      for (size_t i = 0; i < side; ++i) bias[row] += turn[row * side + i] * query[i];
    }
    std::vector<float> weights(side * static_cast<size_t>(config.image.width), 0.0f);
    for (const std::string& name : {names.key_weight, names.value_weight}) {
      const std::vector<float> part = reader.floats(name, {dimension, config.image.width});
      weights.insert(weights.end(), part.begin(), part.end());
    }
    return reader.packed(config.image.width, 3 * dimension, weights, bias, After::Nothing);
  }

  const Kernels& kernels_;
  size_t heads_;
  size_t width_;
  size_t dimension_;
  NormWeights of_states_;
  PackedLinear queries_keys_values_;
  PackedLinear out_;
};

// A transformer over square patches (Dosovitskiy et al. 2021).
class PatchTower : public ImageTower {
 public:
  PatchTower(const Checkpoint& checkpoint, const ImageNames& names, const WeightReader& reader,
             unsigned threads);

  size_t batch() const override {
    return std::max<size_t>(1, (kBatchTokens + tokens_ / 2) / tokens_);
  }
  void encode(std::span<const Image> images, Workspace& space, float* out) const override;

 private:
  void put_patches(const Image& image, std::vector<float>& patch, const Operand& out,
                   size_t row) const;
  void average_patches(Workspace& space, size_t images) const;

  size_t grid_;
  size_t patch_;
  size_t tokens_;
  size_t width_;
  PackedLinear patch_weights_;
  std::vector<float> class_token_;  // empty without one
  std::vector<float> positions_;
  std::optional<NormWeights> before_;
  ImagePool pool_;
  std::optional<NormWeights> norm_before_mean_;
  std::optional<QueriesPool> queries_;
  Transformer transformer_;
  Head head_;
  float normalised_[3][256];  // of every sample, for each channel
};

PatchTower::PatchTower(const Checkpoint& checkpoint, const ImageNames& names,
                       const WeightReader& reader, unsigned threads)
    : grid_(static_cast<size_t>(checkpoint.config.grid())),
      patch_(static_cast<size_t>(checkpoint.config.patch_size_px)),
      tokens_(grid_ * grid_ + (checkpoint.config.has_class_token ? 1 : 0)),
      width_(static_cast<size_t>(checkpoint.config.image.width)),
      patch_weights_(reader.linear(names.patches, After::Nothing)),
      class_token_(names.class_token.empty()
                       ? std::vector<float>()
                       : reader.floats(names.class_token, names.class_token_shape)),
      positions_(reader.floats(names.positions, names.positions_shape)),
      before_(norm_if(!names.before.weight.empty(), names.before, checkpoint.config.image, reader)),
      pool_(checkpoint.config.image_pool),
      norm_before_mean_(
          norm_if(is_normed_early(checkpoint.config), names.after, checkpoint.config.image,
                  reader)),
      transformer_(names.blocks, checkpoint.config.image, false, reader, threads),
      head_(norm_if(is_normed_late(checkpoint.config), names.after, head_config(checkpoint.config),
                    reader),
            {}, names.projection, head_config(checkpoint.config), reader) {
  if (!names.queries_pool.queries.empty())
    queries_.emplace(names.queries_pool, checkpoint.config, reader);
  if (!names.pool.query.empty())
    transformer_.append(reader.pool(names.pool, names.after, checkpoint.config.image));
  const Preprocessing& preprocessing = checkpoint.config.preprocessing;
  for (size_t c = 0; c < 3; ++c) {
    for (size_t sample = 0; sample < 256; ++sample) {
      normalised_[c][sample] = (static_cast<float>(sample) / 255.0f - preprocessing.mean[c]) /
                               preprocessing.standard_deviation[c];
    }
  }
}

void PatchTower::encode(std::span<const Image> images, Workspace& space, float* out) const {
  const Kernels& kernels = transformer_.kernels();
  const size_t patches = grid_ * grid_;
  const size_t rows = images.size() * patches;
  const Operand pixels = space.patches.make(kernels, rows, 3 * patch_ * patch_);
  for (size_t i = 0; i < images.size(); ++i) {
    put_patches(images[i], space.patch, pixels, i * patches);
  }
  float* embedded = space.embedded.floats(rows * width_);
  patch_weights_.run(pixels, rows, embedded);

  const size_t tokens = images.size() * tokens_;
  float* stream = space.stream.floats(tokens * width_);
  std::vector<Sequence> sequences;
  const size_t before = tokens_ - patches;  // 1 with a class token, else 0
  for (size_t i = 0; i < images.size(); ++i) {
    float* first = stream + i * tokens_ * width_;
    if (before > 0) add(class_token_.data(), positions_.data(), width_, first);
    add(embedded + i * patches * width_, positions_.data() + before * width_, patches * width_,
        first + before * width_);
    sequences.push_back({i * tokens_, tokens_, 0});
  }
  if (before_) kernels.layer_norm_floats(stream, tokens, width_, before_->norm(), stream);
  if (pool_ == ImagePool::Mean) {
    transformer_.run_all(space, tokens, sequences);
    if (norm_before_mean_)
      kernels.layer_norm_floats(stream, tokens, width_, norm_before_mean_->norm(), stream);
    average_patches(space, images.size());
  } else if (queries_) {
    transformer_.run_all(space, tokens, sequences);
    queries_->run(space, sequences);
  } else {
    transformer_.run(space, tokens, sequences);
  }
  head_.run(space, images.size(), out);
}

// The patches' states in space.stream -> their means in space.chosen.
void PatchTower::average_patches(Workspace& space, size_t images) const {
  const float* stream = space.stream.floats(images * tokens_ * width_);
  float* chosen = space.chosen.floats(images * width_);
  std::fill_n(chosen, images * width_, 0.0f);
  const size_t patches = grid_ * grid_;
  const float share = 1.0f / static_cast<float>(patches);
  for (size_t i = 0; i < images; ++i) {
    float* mean = chosen + i * width_;
    for (size_t token = tokens_ - patches; token < tokens_; ++token)
      add(mean, stream + (i * tokens_ + token) * width_, width_, mean);
    for (size_t j = 0; j < width_; ++j) mean[j] *= share;
  }
}

// [patches, 3 * patch * patch], patches row by row, in each first all of red.
void PatchTower::put_patches(const Image& image, std::vector<float>& patch, const Operand& out,
                             size_t row) const {
  const auto stride = static_cast<size_t>(image.width_px) * 3;
  patch.resize(3 * patch_ * patch_);
  for (size_t gy = 0; gy < grid_; ++gy) {
    for (size_t gx = 0; gx < grid_; ++gx, ++row) {
      float* to = patch.data();
      for (size_t c = 0; c < 3; ++c) {
        const uint8_t* corner = image.rgb.data() + gy * patch_ * stride + gx * patch_ * 3 + c;
        for (size_t y = 0; y < patch_; ++y, to += patch_) {
          for (size_t x = 0; x < patch_; ++x) to[x] = normalised_[c][corner[y * stride + 3 * x]];
        }
      }
      transformer_.kernels().put(patch.data(), 1, patch.size(), out, row);
    }
  }
}

}  // namespace

std::unique_ptr<ImageTower> make_image_tower(const Checkpoint& checkpoint, const Kernels& kernels,
                                             unsigned threads) {
  if (checkpoint.config.is_resnet()) return make_resnet_tower(checkpoint, kernels);
  const WeightReader reader(checkpoint, kernels);
  return std::make_unique<PatchTower>(
      checkpoint, image_names(checkpoint.config, checkpoint.names), reader, threads);
}

}  // namespace zeroshelf
