// The networks on oneDNN and our kernels. Tested by tests/clip.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>

#include "lib/util/parallel.h"
#include "models/checkpoint/tensor_names.h"
#include "models/clip/network.h"
#include "models/compute/kernels.h"
#include "models/compute/packed_linear.h"

namespace zeroshelf {
namespace {

using clip_kernels::Kernels;
using clip_kernels::Store;

// Tokens that are multiplied together: enough that a weight is used often while it is in cache, and
// few enough that what lies between two multiplications stays there. Measured: docs/performance.md.
constexpr size_t kBatchTokens = 400;

struct Norm {
  std::vector<float> weight;
  std::vector<float> bias;
};

struct CpuBlock {
  Norm before_attention;
  PackedLinear queries_keys_values;
  PackedLinear attention_out;
  Norm before_mlp;
  PackedLinear mlp_in;
  PackedLinear mlp_out;
};

// What one thread computes with.
struct Workspace {
  AlignedBuffer patches;
  AlignedBuffer embedded;
  AlignedBuffer stream;      // [rows, width], float: the residual stream
  AlignedBuffer chosen;      // [sequences, width], float: that of the tokens that are the answer
  AlignedBuffer normalised;  // [rows, width], to be multiplied
  AlignedBuffer parts;       // [rows, 3 width], float: queries, keys, values
  AlignedBuffer hidden;      // [rows, MLP width], to be multiplied
  AlignedBuffer answers;     // [sequences, dimension], float
  AlignedBuffer attention;
  AlignedBuffer onednn;
};

// Workspaces are as many as there ever were threads at a time.
class Workspaces {
 public:
  class Lease {
   public:
    explicit Lease(Workspaces& owner) : owner_(owner), space_(owner.take()) {}
    ~Lease() { owner_.give(std::move(space_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Workspace& operator*() { return *space_; }

   private:
    Workspaces& owner_;
    std::unique_ptr<Workspace> space_;
  };

 private:
  std::unique_ptr<Workspace> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<Workspace>();
    auto space = std::move(free_.back());
    free_.pop_back();
    return space;
  }

  void give(std::unique_ptr<Workspace> space) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(space));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> free_;
};

struct Sequence {
  size_t first = 0;  // row of the stream
  size_t length = 0;
  size_t answer = 0;  // the token whose result is wanted
};

class WeightReader {
 public:
  WeightReader(const Checkpoint& checkpoint, Arithmetic arithmetic)
      : checkpoint_(checkpoint), arithmetic_(arithmetic) {}

  std::vector<float> floats(const std::string& name, const std::vector<int64_t>& shape) const {
    return floats_of(checkpoint_, name, shape);
  }

  Norm norm(const NormNames& names, int64_t width) const {
    return {floats(names.weight, {width}), floats(names.bias, {width})};
  }

  PackedLinear linear(const LinearNames& names, After after, bool is_result_multiplied) const {
    std::vector<float> bias;
    for (const std::string& name : names.biases) {
      const std::vector<float> part = floats(name, {names.out});
      bias.insert(bias.end(), part.begin(), part.end());
    }
    PackedLinear::Options options;
    options.in = names.in;
    options.out = names.out * static_cast<int64_t>(names.weights.size());
    options.arithmetic = arithmetic_;
    options.after = after;
    options.is_result_multiplied = is_result_multiplied;
    options.usual_rows = kBatchTokens;
    return {options, matrix(names), bias};
  }

  CpuBlock block(const BlockNames& names, const TransformerConfig& config) const {
    const After activation = config.activation == Activation::Gelu ? After::Gelu : After::QuickGelu;
    return {norm(names.before_attention, config.width),
            linear(names.queries_keys_values, After::Nothing, false),
            linear(names.attention_out, After::AddToResult, false),
            norm(names.before_mlp, config.width),
            linear(names.mlp_in, activation, true),
            linear(names.mlp_out, After::AddToResult, false)};
  }

 private:
  // [out of all parts, in].
  std::vector<float> matrix(const LinearNames& names) const {
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

  const Checkpoint& checkpoint_;
  Arithmetic arithmetic_;
};

// The blocks of either tower.
class Transformer {
 public:
  Transformer(const std::vector<BlockNames>& names, const TransformerConfig& config, double epsilon,
              bool is_causal, const WeightReader& reader, Arithmetic arithmetic, unsigned threads)
      : config_(config),
        width_(static_cast<size_t>(config.width)),
        epsilon_(static_cast<float>(epsilon)),
        is_causal_(is_causal),
        store_(arithmetic == Arithmetic::Fp32   ? Store::Float
               : arithmetic == Arithmetic::Bf16 ? Store::Bf16
                                                : Store::RoundedFloat) {
    std::vector<std::optional<CpuBlock>> read(names.size());
    parallel_chunks(names.size(), 1, threads, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) read[i].emplace(reader.block(names[i], config));
    });
    for (auto& block : read) blocks_.push_back(std::move(*block));
  }

  Store store() const { return store_; }
  const Kernels& kernels() const { return kernels_; }
  float epsilon() const { return epsilon_; }
  std::string kernel() const {
    const std::string multiplier = blocks_.front().mlp_in.kernel();
    return multiplier == kernels_.name ? multiplier
                                       : fmt::format("{}, {}", multiplier, kernels_.name);
  }

  // space.stream holds [rows, width], rows in whole steps; the answers' rows come out in
  // space.chosen.
  void run(Workspace& space, size_t rows, std::span<const Sequence> sequences) const {
    for (size_t i = 0; i + 1 < blocks_.size(); ++i) run_block(blocks_[i], space, rows, sequences);
    run_last(blocks_.back(), space, rows, sequences);
  }

 private:
  void run_block(const CpuBlock& block, Workspace& space, size_t rows,
                 std::span<const Sequence> sequences) const {
    float* stream = space.stream.floats(rows * width_);
    const float* parts = attention_parts(block, space, rows);
    void* mixed = space.normalised.bytes(rows * width_ * sizeof(float));
    for (const Sequence& sequence : sequences) {
      attend(space, parts, sequence, 0, sequence.length, at(mixed, sequence.first));
    }
    finish_block(block, space, stream, rows);
  }

  // Of the last block only the answers' rows are wanted.
  void run_last(const CpuBlock& block, Workspace& space, size_t rows,
                std::span<const Sequence> sequences) const {
    const float* stream = space.stream.floats(rows * width_);
    const float* parts = attention_parts(block, space, rows);
    const size_t answers = whole_rows(sequences.size());
    float* chosen = space.chosen.floats(answers * width_);
    std::fill(chosen + sequences.size() * width_, chosen + answers * width_, 0.0f);
    void* mixed = space.normalised.bytes(rows * width_ * sizeof(float));
    for (size_t i = 0; i < sequences.size(); ++i) {
      const Sequence& sequence = sequences[i];
      std::copy_n(stream + (sequence.first + sequence.answer) * width_, width_,
                  chosen + i * width_);
      attend(space, parts, sequence, sequence.answer, sequence.answer + 1, at(mixed, i));
    }
    finish_block(block, space, chosen, answers);
  }

  const float* attention_parts(const CpuBlock& block, Workspace& space, size_t rows) const {
    const float* stream = space.stream.floats(rows * width_);
    void* normalised = space.normalised.bytes(rows * width_ * sizeof(float));
    float* parts = space.parts.floats(rows * 3 * width_);
    layer_norm(stream, rows, block.before_attention, normalised);
    block.queries_keys_values.run(normalised, static_cast<int64_t>(rows), parts, space.onednn);
    return parts;
  }

  void attend(Workspace& space, const float* parts, const Sequence& sequence, size_t first_query,
              size_t end_query, void* out) const {
    clip_kernels::AttentionShape shape;
    shape.length = sequence.length;
    shape.heads = static_cast<size_t>(config_.heads);
    shape.head_width = width_ / shape.heads;
    shape.first_query = first_query;
    shape.end_query = end_query;
    shape.is_causal = is_causal_;
    float* scratch =
        space.attention.floats(clip_kernels::attention_scratch(sequence.length, shape.head_width));
    kernels_.attention(parts + sequence.first * 3 * width_, shape, scratch, store_, out);
  }

  // From what attention mixed, in space.normalised, to the block's result in stream.
  void finish_block(const CpuBlock& block, Workspace& space, float* stream, size_t rows) const {
    const auto count = static_cast<int64_t>(rows);
    void* normalised = space.normalised.bytes(rows * width_ * sizeof(float));
    void* hidden =
        space.hidden.bytes(rows * static_cast<size_t>(config_.mlp_width) * sizeof(float));
    block.attention_out.run(normalised, count, stream, space.onednn);
    layer_norm(stream, rows, block.before_mlp, normalised);
    block.mlp_in.run(normalised, count, hidden, space.onednn);
    block.mlp_out.run(hidden, count, stream, space.onednn);
  }

  void layer_norm(const float* x, size_t rows, const Norm& norm, void* out) const {
    kernels_.layer_norm(x, rows, width_, norm.weight.data(), norm.bias.data(), epsilon_, store_,
                        out);
  }

  // The row of a matrix of the multiplied type.
  void* at(void* matrix, size_t row) const {
    const size_t element = store_ == Store::Bf16 ? sizeof(uint16_t) : sizeof(float);
    return static_cast<std::byte*>(matrix) + row * width_ * element;
  }

  const Kernels& kernels_ = clip_kernels::best();
  TransformerConfig config_;
  size_t width_;
  float epsilon_;
  bool is_causal_;
  Store store_;
  std::vector<CpuBlock> blocks_;
};

// The answers' rows -> the shared space.
class Head {
 public:
  Head(const NormNames& norm, const LinearNames& projection, int64_t width,
       const WeightReader& reader)
      : dimension_(static_cast<size_t>(projection.out)),
        norm_(reader.norm(norm, width)),
        projection_(reader.linear(projection, After::Nothing, false)) {}

  void run(Workspace& space, size_t rows, const Transformer& transformer, float* out) const {
    const size_t width = norm_.weight.size();
    const size_t computed = whole_rows(rows);
    void* normalised = space.normalised.bytes(computed * width * sizeof(float));
    float* answers = space.answers.floats(computed * dimension_);
    transformer.kernels().layer_norm(space.chosen.floats(computed * width), computed, width,
                                     norm_.weight.data(), norm_.bias.data(), transformer.epsilon(),
                                     transformer.store(), normalised);
    projection_.run(normalised, static_cast<int64_t>(computed), answers, space.onednn);
    std::copy_n(answers, rows * dimension_, out);
  }

 private:
  size_t dimension_;
  Norm norm_;
  PackedLinear projection_;
};

class ImageTower {
 public:
  ImageTower(const Checkpoint& checkpoint, Arithmetic arithmetic, unsigned threads)
      : ImageTower(checkpoint, image_names(checkpoint.config, checkpoint.names),
                   WeightReader(checkpoint, arithmetic), arithmetic, threads) {}

  size_t batch() const { return std::max<size_t>(1, (kBatchTokens + tokens_ / 2) / tokens_); }
  std::string kernel() const { return transformer_.kernel(); }

  // out: [images, dimension].
  void encode(std::span<const Image> images, Workspace& space, float* out) const {
    const size_t patches = tokens_ - 1;
    const size_t rows = whole_rows(images.size() * patches);
    const size_t inputs = 3 * patch_ * patch_;
    void* pixels = space.patches.bytes(rows * inputs * sizeof(float));
    for (size_t i = 0; i < images.size(); ++i) cut_patches(images[i], pixels, i * patches * inputs);
    float* embedded = space.embedded.floats(rows * width_);
    patch_weights_.run(pixels, static_cast<int64_t>(rows), embedded, space.onednn);

    const size_t tokens = images.size() * tokens_;
    const size_t computed = whole_rows(tokens);
    float* stream = space.stream.floats(computed * width_);
    std::fill(stream + tokens * width_, stream + computed * width_, 0.0f);
    std::vector<Sequence> sequences;
    for (size_t i = 0; i < images.size(); ++i) {
      float* first = stream + i * tokens_ * width_;
      add(class_token_.data(), positions_.data(), width_, first);
      add(embedded + i * patches * width_, positions_.data() + width_, patches * width_,
          first + width_);
      sequences.push_back({i * tokens_, tokens_, 0});
    }
    transformer_.kernels().layer_norm(stream, tokens, width_, before_.weight.data(),
                                      before_.bias.data(), transformer_.epsilon(), Store::Float,
                                      stream);
    transformer_.run(space, computed, sequences);
    head_.run(space, images.size(), transformer_, out);
  }

 private:
  ImageTower(const Checkpoint& checkpoint, const ImageNames& names, const WeightReader& reader,
             Arithmetic arithmetic, unsigned threads)
      : grid_(static_cast<size_t>(checkpoint.config.grid())),
        patch_(static_cast<size_t>(checkpoint.config.patch_size_px)),
        tokens_(1 + grid_ * grid_),
        width_(static_cast<size_t>(checkpoint.config.image.width)),
        patch_weights_(reader.linear(names.patches, After::Nothing, false)),
        class_token_(reader.floats(names.class_token, {checkpoint.config.image.width})),
        positions_(reader.floats(names.positions,
                                 {static_cast<int64_t>(tokens_), checkpoint.config.image.width})),
        before_(reader.norm(names.before, checkpoint.config.image.width)),
        transformer_(names.blocks, checkpoint.config.image, checkpoint.config.layer_norm_epsilon,
                     false, reader, arithmetic, threads),
        head_(names.after, names.projection, checkpoint.config.image.width, reader) {
    const Preprocessing& preprocessing = checkpoint.config.preprocessing;
    for (size_t c = 0; c < 3; ++c) {
      for (size_t sample = 0; sample < 256; ++sample) {
        float value = (static_cast<float>(sample) / 255.0f - preprocessing.mean[c]) /
                      preprocessing.standard_deviation[c];
        if (arithmetic != Arithmetic::Fp32) clip_kernels::best().round_to_bf16(&value, 1);
        normalised_[c][sample] = value;
      }
    }
  }

  static void add(const float* a, const float* b, size_t count, float* out) {
    for (size_t i = 0; i < count; ++i) out[i] = a[i] + b[i];
  }

  // [patches, 3 * patch * patch], patches row by row, in each first all of red.
  void cut_patches(const Image& image, void* out, size_t at) const {
    const bool is_half = transformer_.store() == Store::Bf16;
    const auto stride = static_cast<size_t>(image.width_px) * 3;
    for (size_t gy = 0; gy < grid_; ++gy) {
      for (size_t gx = 0; gx < grid_; ++gx) {
        for (size_t c = 0; c < 3; ++c) {
          const uint8_t* corner = image.rgb.data() + gy * patch_ * stride + gx * patch_ * 3 + c;
          for (size_t y = 0; y < patch_; ++y, at += patch_) {
            if (is_half) {
              put_row(corner + y * stride, normalised_[c], static_cast<uint16_t*>(out) + at);
            } else {
              put_row(corner + y * stride, normalised_[c], static_cast<float*>(out) + at);
            }
          }
        }
      }
    }
  }

  void put_row(const uint8_t* samples, const float* table, float* out) const {
    for (size_t x = 0; x < patch_; ++x) out[x] = table[samples[3 * x]];
  }
  void put_row(const uint8_t* samples, const float* table, uint16_t* out) const {
    for (size_t x = 0; x < patch_; ++x) {
      uint32_t bits;
      std::memcpy(&bits, table + samples[3 * x], sizeof bits);
      out[x] = static_cast<uint16_t>(bits >> 16);
    }
  }

  size_t grid_;
  size_t patch_;
  size_t tokens_;
  size_t width_;
  PackedLinear patch_weights_;
  std::vector<float> class_token_;
  std::vector<float> positions_;
  Norm before_;
  Transformer transformer_;
  Head head_;
  float normalised_[3][256];  // of every sample, for each channel
};

class TextTower {
 public:
  TextTower(const Checkpoint& checkpoint, Arithmetic arithmetic, unsigned threads)
      : TextTower(checkpoint, text_names(checkpoint.config, checkpoint.names),
                  WeightReader(checkpoint, arithmetic), arithmetic, threads) {}

  std::string kernel() const { return transformer_.kernel(); }

  // Texts stand behind each other without padding: only attention knows which is which.
  void encode(std::span<const std::vector<int32_t>> texts, Workspace& space, float* out) const {
    std::vector<Sequence> sequences;
    size_t tokens = 0;
    for (const std::vector<int32_t>& text : texts) {
      // As the reference does: where the largest id stands first, which is the first end mark.
      const auto end = std::max_element(text.begin(), text.end()) - text.begin();
      sequences.push_back({tokens, text.size(), static_cast<size_t>(end)});
      tokens += text.size();
    }
    const size_t rows = whole_rows(tokens);
    float* stream = space.stream.floats(rows * width_);
    for (size_t i = 0; i < texts.size(); ++i) embed(texts[i], stream + sequences[i].first * width_);
    std::fill(stream + tokens * width_, stream + rows * width_, 0.0f);
    transformer_.run(space, rows, sequences);
    head_.run(space, texts.size(), transformer_, out);
  }

 private:
  TextTower(const Checkpoint& checkpoint, const TextNames& names, const WeightReader& reader,
            Arithmetic arithmetic, unsigned threads)
      : width_(static_cast<size_t>(checkpoint.config.text.width)),
        tokens_(tensor_of(checkpoint, names.tokens,
                          {checkpoint.config.vocabulary_size, checkpoint.config.text.width})),
        positions_(reader.floats(names.positions,
                                 {checkpoint.config.context_length, checkpoint.config.text.width})),
        transformer_(names.blocks, checkpoint.config.text, checkpoint.config.layer_norm_epsilon,
                     true, reader, arithmetic, threads),
        head_(names.after, names.projection, checkpoint.config.text.width, reader) {}

  void embed(const std::vector<int32_t>& text, float* out) const {
    const size_t element = tokens_.type == TensorType::F32 ? sizeof(float) : sizeof(uint16_t);
    for (size_t i = 0; i < text.size(); ++i, out += width_) {
      TensorView row{tokens_.type, {}, {}};
      row.bytes =
          tokens_.bytes.subspan(static_cast<size_t>(text[i]) * width_ * element, width_ * element);
      copy_floats(row, {out, width_});
      for (size_t j = 0; j < width_; ++j) out[j] += positions_[i * width_ + j];
    }
  }

  size_t width_;
  TensorView tokens_;  // of the mapped file: few of its rows are ever read
  std::vector<float> positions_;
  Transformer transformer_;
  Head head_;
};

class CpuNetwork : public Network {
 public:
  CpuNetwork(std::shared_ptr<const Checkpoint> checkpoint, EncoderSide side, Precision precision,
             unsigned threads)
      : checkpoint_(std::move(checkpoint)), threads_(threads) {
    const Arithmetic arithmetic = precision == Precision::Fp32 ? Arithmetic::Fp32
                                  : multiplies_bf16()          ? Arithmetic::Bf16
                                                               : Arithmetic::EmulatedBf16;
    if (side != EncoderSide::TextOnly) images_.emplace(*checkpoint_, arithmetic, threads_);
    if (side != EncoderSide::ImageOnly) texts_.emplace(*checkpoint_, arithmetic, threads_);
    kernel_ = (images_ ? images_->kernel() : texts_->kernel()) +
              (arithmetic == Arithmetic::EmulatedBf16 ? ", bf16 emulated" : "");
  }

  Matrix encode_images(std::span<const Image> images) override {
    Matrix result(images.size(), static_cast<size_t>(checkpoint_->config.dimension));
    parallel_chunks(images.size(), images_->batch(), threads_, [&](size_t begin, size_t end) {
      const OneThread one;
      Workspaces::Lease space(workspaces_);
      images_->encode(images.subspan(begin, end - begin), *space, result.row(begin).data());
    });
    return result;
  }

  Matrix encode_tokens(std::span<const std::vector<int32_t>> sequences) override {
    Matrix result(sequences.size(), static_cast<size_t>(checkpoint_->config.dimension));
    const std::vector<size_t> ends = batches(sequences);
    parallel_chunks(ends.size(), 1, threads_, [&](size_t chunk, size_t) {
      const OneThread one;
      Workspaces::Lease space(workspaces_);
      const size_t begin = chunk == 0 ? 0 : ends[chunk - 1];
      texts_->encode(sequences.subspan(begin, ends[chunk] - begin), *space,
                     result.row(begin).data());
    });
    return result;
  }

  std::string kernel() const override { return kernel_; }
  size_t batch_images() const override { return images_ ? images_->batch() : 1; }

 private:
  // Where batches of about kBatchTokens end.
  static std::vector<size_t> batches(std::span<const std::vector<int32_t>> sequences) {
    std::vector<size_t> ends;
    size_t tokens = 0;
    for (size_t i = 0; i < sequences.size(); ++i) {
      if (tokens > 0 && tokens + sequences[i].size() > kBatchTokens) {
        ends.push_back(i);
        tokens = 0;
      }
      tokens += sequences[i].size();
    }
    if (!sequences.empty()) ends.push_back(sequences.size());
    return ends;
  }

  std::shared_ptr<const Checkpoint> checkpoint_;
  unsigned threads_;
  std::optional<ImageTower> images_;
  std::optional<TextTower> texts_;
  std::string kernel_;
  Workspaces workspaces_;
};

}  // namespace

std::unique_ptr<Network> make_cpu_network(std::shared_ptr<const Checkpoint> checkpoint,
                                          EncoderSide side, Precision precision, unsigned threads) {
  return std::make_unique<CpuNetwork>(std::move(checkpoint), side, precision, threads);
}

}  // namespace zeroshelf
