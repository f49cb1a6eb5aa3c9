#pragma once

// Inside models/clip: token ids -> vectors, by a transformer.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "models/clip/transformer.h"

namespace zeroshelf {

// Threads: const calls may run together, each with a workspace of its own.
class TextTower {
 public:
  TextTower(const Checkpoint& checkpoint, const Kernels& kernels, unsigned threads);

  // Each text with its marks, at most the context length, ids within the vocabulary.
  // out: [texts, dimension], not normalised.
  void encode(std::span<const std::vector<int32_t>> texts, Workspace& space, float* out) const;

 private:
  TextTower(const Checkpoint& checkpoint, const TextNames& names, const WeightReader& reader,
            unsigned threads);
  size_t pooled_token(const std::vector<int32_t>& text) const;
  void embed(const std::vector<int32_t>& text, float* out) const;
  void embed_token(int32_t id, size_t position, float* out) const;

  void average_tokens(Workspace& space, std::span<const Sequence> sequences) const;

  TextPool pool_;
  int32_t pool_id_;
  bool is_roberta_;
  bool skips_padding_;
  int32_t padding_;
  size_t width_;
  TensorView tokens_;  // of the mapped file: few of its rows are ever read
  std::vector<float> positions_;         // [positions, width]; with what every token gets
  std::optional<NormWeights> embedded_;  // of the tokens before the blocks
  Transformer transformer_;
  Head head_;
};

}  // namespace zeroshelf
