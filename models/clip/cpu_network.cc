// The networks on our kernels. Tested by tests/clip.

#include <algorithm>
#include <cmath>
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

// Tokens that are multiplied together: enough that a weight is used often while it is in cache, and
// few enough that what lies between two multiplications stays there. Measured: docs/performance.md.
constexpr size_t kBatchTokens = 400;

struct NormWeights {
  std::vector<float> weight;
  std::vector<float> bias;
  float epsilon;

  clip_kernels::Norm norm() const { return {weight.data(), bias.data(), epsilon}; }
};

struct CpuBlock {
  NormWeights before_attention;
  PackedLinear queries_keys_values;
  PackedLinear attention_out;
  NormWeights before_mlp;
  PackedLinear mlp_in;
  PackedLinear mlp_out;
};

// What one thread computes with.
struct Workspace {
  std::vector<float> patch;  // one
  OperandBuffer patches;
  AlignedBuffer embedded;
  AlignedBuffer stream;      // [rows, width], float: the residual stream
  AlignedBuffer chosen;      // [sequences, width], float: that of the tokens that are the answer
  OperandBuffer normalised;  // [rows, width]
  OperandBuffer parts;       // [rows, 3 width]: queries, keys and values
  OperandBuffer mixed;       // [rows, width]: what attention gives
  OperandBuffer hidden;      // [rows, MLP width]
  AlignedBuffer attention;
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
  WeightReader(const Checkpoint& checkpoint, const Kernels& kernels)
      : checkpoint_(checkpoint), kernels_(kernels) {}

  const Kernels& kernels() const { return kernels_; }

  std::vector<float> floats(const std::string& name, const std::vector<int64_t>& shape) const {
    return floats_of(checkpoint_, name, shape);
  }

  NormWeights norm(const NormNames& names, int64_t width) const {
    return {floats(names.weight, {width}), floats(names.bias, {width}),
            static_cast<float>(checkpoint_.config.layer_norm_epsilon)};
  }

  PackedLinear linear(const LinearNames& names, After after) const {
    std::vector<float> bias;
    for (const std::string& name : names.biases) {
      const std::vector<float> part = floats(name, {names.out});
      bias.insert(bias.end(), part.begin(), part.end());
    }
    PackedLinear::Options options;
    options.in = static_cast<size_t>(names.in);
    options.out = static_cast<size_t>(names.out) * names.weights.size();
    options.after = after;
    std::vector<std::vector<float>> kept;
    return {kernels_, options, parts(names, kept), bias};
  }

  CpuBlock block(const BlockNames& names, const TransformerConfig& config) const {
    const After activation = config.activation == Activation::Gelu ? After::Gelu : After::QuickGelu;
    return {norm(names.before_attention, config.width),
            linear(names.queries_keys_values, After::Nothing),
            linear(names.attention_out, After::AddToResult),
            norm(names.before_mlp, config.width),
            linear(names.mlp_in, activation),
            linear(names.mlp_out, After::AddToResult)};
  }

 private:
  // The matrices below each other, where they lie in the file if they can be taken as they are.
  std::vector<std::span<const float>> parts(const LinearNames& names,
                                            std::vector<std::vector<float>>& kept) const {
    const bool is_cut =
        names.weights.size() == 1 || static_cast<size_t>(names.out) % clip_kernels::kPackedOut == 0;
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
  const Kernels& kernels_;
};

// The blocks of either tower.
class Transformer {
 public:
  Transformer(const std::vector<BlockNames>& names, const TransformerConfig& config, bool is_causal,
              const WeightReader& reader, unsigned threads)
      : kernels_(reader.kernels()),
        heads_(static_cast<size_t>(config.heads)),
        width_(static_cast<size_t>(config.width)),
        mlp_width_(static_cast<size_t>(config.mlp_width)),
        is_causal_(is_causal) {
    std::vector<std::optional<CpuBlock>> read(names.size());
    parallel_chunks(names.size(), 1, threads, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) read[i].emplace(reader.block(names[i], config));
    });
    for (auto& block : read) blocks_.push_back(std::move(*block));
  }

  const Kernels& kernels() const { return kernels_; }

  // space.stream holds [rows, width]; the answers' rows come out in space.chosen.
  void run(Workspace& space, size_t rows, std::span<const Sequence> sequences) const {
    for (size_t i = 0; i + 1 < blocks_.size(); ++i) run_block(blocks_[i], space, rows, sequences);
    run_last(blocks_.back(), space, rows, sequences);
  }

 private:
  void run_block(const CpuBlock& block, Workspace& space, size_t rows,
                 std::span<const Sequence> sequences) const {
    float* stream = space.stream.floats(rows * width_);
    const Operand parts = attention_parts(block, space, rows);
    const Operand mixed = space.mixed.make(kernels_, rows, width_);
    for (const Sequence& sequence : sequences) {
      attend(space, parts, sequence, 0, sequence.length, mixed, sequence.first);
    }
    finish_block(block, space, mixed, stream, rows);
  }

  // The last block computes only the rows of the answers.
  void run_last(const CpuBlock& block, Workspace& space, size_t rows,
                std::span<const Sequence> sequences) const {
    const float* stream = space.stream.floats(rows * width_);
    const Operand parts = attention_parts(block, space, rows);
    float* chosen = space.chosen.floats(sequences.size() * width_);
    const Operand mixed = space.mixed.make(kernels_, sequences.size(), width_);
    for (size_t i = 0; i < sequences.size(); ++i) {
      const Sequence& sequence = sequences[i];
      std::copy_n(stream + (sequence.first + sequence.answer) * width_, width_,
                  chosen + i * width_);
      attend(space, parts, sequence, sequence.answer, sequence.answer + 1, mixed, i);
    }
    finish_block(block, space, mixed, chosen, sequences.size());
  }

  Operand attention_parts(const CpuBlock& block, Workspace& space, size_t rows) const {
    const Operand normalised =
        layer_norm(space, block.before_attention, space.stream.floats(rows * width_), rows);
    const Operand parts = space.parts.make(kernels_, rows, 3 * width_);
    block.queries_keys_values.run(normalised, rows, parts);
    return parts;
  }

  void attend(Workspace& space, const Operand& parts, const Sequence& sequence, size_t first_query,
              size_t end_query, const Operand& out, size_t out_row) const {
    clip_kernels::AttentionShape shape;
    shape.length = sequence.length;
    shape.heads = heads_;
    shape.head_width = width_ / heads_;
    shape.first_query = first_query;
    shape.end_query = end_query;
    shape.is_causal = is_causal_;
    void* scratch =
        space.attention.bytes(kernels_.attention_scratch(sequence.length, shape.head_width));
    kernels_.attention(parts, sequence.first, shape, scratch, out, out_row);
  }

  // From what attention mixed to the block's result in stream.
  void finish_block(const CpuBlock& block, Workspace& space, const Operand& mixed, float* stream,
                    size_t rows) const {
    block.attention_out.run(mixed, rows, stream);
    const Operand normalised = layer_norm(space, block.before_mlp, stream, rows);
    const Operand hidden = space.hidden.make(kernels_, rows, mlp_width_);
    block.mlp_in.run(normalised, rows, hidden);
    block.mlp_out.run(hidden, rows, stream);
  }

  Operand layer_norm(Workspace& space, const NormWeights& weights, const float* x,
                     size_t rows) const {
    const Operand out = space.normalised.make(kernels_, rows, width_);
    kernels_.layer_norm(x, rows, width_, weights.norm(), out);
    return out;
  }

  const Kernels& kernels_;
  size_t heads_;
  size_t width_;
  size_t mlp_width_;
  bool is_causal_;
  std::vector<CpuBlock> blocks_;
};

// The answers' rows -> the shared space.
class Head {
 public:
  Head(const NormNames& norm, const LinearNames& projection, int64_t width,
       const WeightReader& reader)
      : kernels_(reader.kernels()),
        norm_(reader.norm(norm, width)),
        projection_(reader.linear(projection, After::Nothing)) {}

  // From space.chosen; out: [rows, dimension].
  void run(Workspace& space, size_t rows, float* out) const {
    const size_t width = norm_.weight.size();
    const Operand normalised = space.normalised.make(kernels_, rows, width);
    kernels_.layer_norm(space.chosen.floats(rows * width), rows, width, norm_.norm(), normalised);
    projection_.run(normalised, rows, out);
  }

 private:
  const Kernels& kernels_;
  NormWeights norm_;
  PackedLinear projection_;
};

class ImageTower {
 public:
  ImageTower(const Checkpoint& checkpoint, const Kernels& kernels, unsigned threads)
      : ImageTower(checkpoint, image_names(checkpoint.config, checkpoint.names),
                   WeightReader(checkpoint, kernels), threads) {}

  size_t batch() const { return std::max<size_t>(1, (kBatchTokens + tokens_ / 2) / tokens_); }
  // out: [images, dimension].
  void encode(std::span<const Image> images, Workspace& space, float* out) const {
    const Kernels& kernels = transformer_.kernels();
    const size_t patches = tokens_ - 1;
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
    for (size_t i = 0; i < images.size(); ++i) {
      float* first = stream + i * tokens_ * width_;
      add(class_token_.data(), positions_.data(), width_, first);
      add(embedded + i * patches * width_, positions_.data() + width_, patches * width_,
          first + width_);
      sequences.push_back({i * tokens_, tokens_, 0});
    }
    kernels.layer_norm_floats(stream, tokens, width_, before_.norm(), stream);
    transformer_.run(space, tokens, sequences);
    head_.run(space, images.size(), out);
  }

 private:
  ImageTower(const Checkpoint& checkpoint, const ImageNames& names, const WeightReader& reader,
             unsigned threads)
      : grid_(static_cast<size_t>(checkpoint.config.grid())),
        patch_(static_cast<size_t>(checkpoint.config.patch_size_px)),
        tokens_(1 + grid_ * grid_),
        width_(static_cast<size_t>(checkpoint.config.image.width)),
        patch_weights_(reader.linear(names.patches, After::Nothing)),
        class_token_(reader.floats(names.class_token, {checkpoint.config.image.width})),
        positions_(reader.floats(names.positions,
                                 {static_cast<int64_t>(tokens_), checkpoint.config.image.width})),
        before_(reader.norm(names.before, checkpoint.config.image.width)),
        transformer_(names.blocks, checkpoint.config.image, false, reader, threads),
        head_(names.after, names.projection, checkpoint.config.image.width, reader) {
    const Preprocessing& preprocessing = checkpoint.config.preprocessing;
    for (size_t c = 0; c < 3; ++c) {
      for (size_t sample = 0; sample < 256; ++sample) {
        normalised_[c][sample] = (static_cast<float>(sample) / 255.0f - preprocessing.mean[c]) /
                                 preprocessing.standard_deviation[c];
      }
    }
  }

  static void add(const float* a, const float* b, size_t count, float* out) {
    for (size_t i = 0; i < count; ++i) out[i] = a[i] + b[i];
  }

  // [patches, 3 * patch * patch], patches row by row, in each first all of red.
  void put_patches(const Image& image, std::vector<float>& patch, const Operand& out,
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

  size_t grid_;
  size_t patch_;
  size_t tokens_;
  size_t width_;
  PackedLinear patch_weights_;
  std::vector<float> class_token_;
  std::vector<float> positions_;
  NormWeights before_;
  Transformer transformer_;
  Head head_;
  float normalised_[3][256];  // of every sample, for each channel
};

class TextTower {
 public:
  TextTower(const Checkpoint& checkpoint, const Kernels& kernels, unsigned threads)
      : TextTower(checkpoint, text_names(checkpoint.config, checkpoint.names),
                  WeightReader(checkpoint, kernels), threads) {}

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
    float* stream = space.stream.floats(tokens * width_);
    for (size_t i = 0; i < texts.size(); ++i) embed(texts[i], stream + sequences[i].first * width_);
    transformer_.run(space, tokens, sequences);
    head_.run(space, texts.size(), out);
  }

 private:
  TextTower(const Checkpoint& checkpoint, const TextNames& names, const WeightReader& reader,
            unsigned threads)
      : width_(static_cast<size_t>(checkpoint.config.text.width)),
        tokens_(tensor_of(checkpoint, names.tokens,
                          {checkpoint.config.vocabulary_size, checkpoint.config.text.width})),
        positions_(reader.floats(names.positions,
                                 {checkpoint.config.context_length, checkpoint.config.text.width})),
        transformer_(names.blocks, checkpoint.config.text, true, reader, threads),
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
  CpuNetwork(std::shared_ptr<const Checkpoint> checkpoint, EncoderSide side, const Kernels& kernels,
             unsigned threads)
      : checkpoint_(std::move(checkpoint)), kernels_(kernels), threads_(threads) {
    if (side != EncoderSide::TextOnly) images_.emplace(*checkpoint_, kernels, threads_);
    if (side != EncoderSide::ImageOnly) texts_.emplace(*checkpoint_, kernels, threads_);
  }

  Matrix encode_images(std::span<const Image> images) override {
    Matrix result(images.size(), static_cast<size_t>(checkpoint_->config.dimension));
    parallel_chunks(images.size(), images_->batch(), threads_, [&](size_t begin, size_t end) {
      Workspaces::Lease space(workspaces_);
      images_->encode(images.subspan(begin, end - begin), *space, result.row(begin).data());
    });
    return result;
  }

  Matrix encode_tokens(std::span<const std::vector<int32_t>> sequences) override {
    Matrix result(sequences.size(), static_cast<size_t>(checkpoint_->config.dimension));
    const std::vector<size_t> ends = batches(sequences);
    parallel_chunks(ends.size(), 1, threads_, [&](size_t chunk, size_t) {
      Workspaces::Lease space(workspaces_);
      const size_t begin = chunk == 0 ? 0 : ends[chunk - 1];
      texts_->encode(sequences.subspan(begin, ends[chunk] - begin), *space,
                     result.row(begin).data());
    });
    return result;
  }

  std::string kernel() const override { return kernels_.name; }
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
  const Kernels& kernels_;
  unsigned threads_;
  std::optional<ImageTower> images_;
  std::optional<TextTower> texts_;
  Workspaces workspaces_;
};

}  // namespace

std::unique_ptr<Network> make_cpu_network(std::shared_ptr<const Checkpoint> checkpoint,
                                          EncoderSide side, Precision precision, unsigned threads) {
  return make_cpu_network(
      std::move(checkpoint), side,
      precision == Precision::Fp32 ? clip_kernels::fp32_kernels() : clip_kernels::bf16_kernels(),
      threads);
}

std::unique_ptr<Network> make_cpu_network(std::shared_ptr<const Checkpoint> checkpoint,
                                          EncoderSide side, const Kernels& kernels,
                                          unsigned threads) {
  return std::make_unique<CpuNetwork>(std::move(checkpoint), side, kernels, threads);
}

}  // namespace zeroshelf
