// Tested by tests/clip/network_test.cc and golden_models_test.cc.

#include "models/clip/text_tower.h"

#include <algorithm>

namespace zeroshelf {
namespace {

std::optional<NormWeights> norm_if_named(const NormNames& names, const ClipConfig& config,
                                         const WeightReader& reader) {
  if (names.weight.empty()) return std::nullopt;
  return reader.norm(names, config.text);
}

std::vector<float> read_positions(const ClipConfig& config, const TextNames& names,
                                  const WeightReader& reader) {
  const int64_t rows = config.is_roberta ? config.text_positions : config.context_length;
  std::vector<float> positions = reader.floats(names.positions, {rows, config.text.width});
  if (names.kinds.empty()) return positions;
  const std::vector<float> kind = reader.floats(names.kinds, {1, config.text.width});
  for (size_t i = 0; i < positions.size(); ++i) positions[i] += kind[i % kind.size()];
  return positions;
}

}  // namespace

TextTower::TextTower(const Checkpoint& checkpoint, const Kernels& kernels, unsigned threads)
    : TextTower(checkpoint,
                text_names(checkpoint.config, checkpoint.names, checkpoint.text_prefix),
                WeightReader(checkpoint, kernels), threads) {}

TextTower::TextTower(const Checkpoint& checkpoint, const TextNames& names,
                     const WeightReader& reader, unsigned threads)
    : pool_(checkpoint.config.text_pool),
      pool_id_(static_cast<int32_t>(checkpoint.config.text_pool_id)),
      is_roberta_(checkpoint.config.is_roberta),
      skips_padding_(checkpoint.config.skips_padding),
      padding_(static_cast<int32_t>(checkpoint.config.pad_id)),
      width_(static_cast<size_t>(checkpoint.config.text.width)),
      tokens_(tensor_of(checkpoint, names.tokens,
                        {checkpoint.config.vocabulary_size, checkpoint.config.text.width})),
      positions_(read_positions(checkpoint.config, names, reader)),
      embedded_(norm_if_named(names.embedded, checkpoint.config, reader)),
      transformer_(names.blocks, checkpoint.config.text, checkpoint.config.is_text_causal, reader,
                   threads),
      head_(norm_if_named(names.after, checkpoint.config, reader), names.hidden, names.projection,
            checkpoint.config.text, reader) {}

// Texts stand behind each other without padding: only attention knows which is which.
void TextTower::encode(std::span<const std::vector<int32_t>> texts, Workspace& space,
                       float* out) const {
  std::vector<std::vector<int32_t>> kept;  // without padding marks, where those count as none
  if (is_roberta_ && skips_padding_) {
    kept.assign(texts.begin(), texts.end());
    for (std::vector<int32_t>& text : kept) std::erase(text, padding_);
    texts = kept;
  }
  std::vector<Sequence> sequences;
  size_t tokens = 0;
  for (const std::vector<int32_t>& text : texts) {
    sequences.push_back({tokens, text.size(), pooled_token(text)});
    tokens += text.size();
  }
  float* stream = space.stream.floats(tokens * width_);
  for (size_t i = 0; i < texts.size(); ++i) embed(texts[i], stream + sequences[i].first * width_);
  if (embedded_) {
    transformer_.kernels().layer_norm_floats(stream, tokens, width_, embedded_->norm(), stream);
  }
  if (pool_ == TextPool::Mean) {
    transformer_.run_all(space, tokens, sequences);
    average_tokens(space, sequences);
  } else {
    transformer_.run(space, tokens, sequences);
  }
  head_.run(space, texts.size(), out);
}

size_t TextTower::pooled_token(const std::vector<int32_t>& text) const {
  switch (pool_) {
    case TextPool::LargestId:
      // As the reference does: where the largest id stands first, which is the first end mark.
      return static_cast<size_t>(std::max_element(text.begin(), text.end()) - text.begin());
    case TextPool::TokenId: {
      const auto found = std::find(text.begin(), text.end(), pool_id_);
      return found == text.end() ? 0 : static_cast<size_t>(found - text.begin());
    }
    case TextPool::Last:
    case TextPool::Mean:
      break;
  }
  return text.size() - 1;
}

// The tokens' states in space.stream -> their means in space.chosen.
void TextTower::average_tokens(Workspace& space, std::span<const Sequence> sequences) const {
  const Sequence& last = sequences.back();
  const float* stream = space.stream.floats((last.first + last.length) * width_);
  float* mean = space.chosen.floats(sequences.size() * width_);
  std::fill_n(mean, sequences.size() * width_, 0.0f);
  for (const Sequence& sequence : sequences) {
    const float* state = stream + sequence.first * width_;
    for (size_t token = 0; token < sequence.length; ++token, state += width_) {
      for (size_t j = 0; j < width_; ++j) mean[j] += state[j];
    }
    for (size_t j = 0; j < width_; ++j) mean[j] /= static_cast<float>(sequence.length);
    mean += width_;
  }
}

void TextTower::embed(const std::vector<int32_t>& text, float* out) const {
  // XLM-R counts from the padding's id on, which is the place of padding itself.
  size_t next = is_roberta_ ? static_cast<size_t>(padding_) + 1 : 0;
  for (const int32_t id : text) {
    const bool is_padding = is_roberta_ && id == padding_;
    embed_token(id, is_padding ? static_cast<size_t>(padding_) : next++, out);
    out += width_;
  }
}

void TextTower::embed_token(int32_t id, size_t position, float* out) const {
  const size_t element = tokens_.type == TensorType::F32 ? sizeof(float) : sizeof(uint16_t);
  TensorView row{tokens_.type, {}, {}};
  row.bytes = tokens_.bytes.subspan(static_cast<size_t>(id) * width_ * element, width_ * element);
  copy_floats(row, {out, width_});
  for (size_t j = 0; j < width_; ++j) out[j] += positions_[position * width_ + j];
}

}  // namespace zeroshelf
