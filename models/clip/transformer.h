#pragma once

// Inside models/clip: the blocks of a tower, and what makes a vector of the tokens that are its
// answer. Every row's result depends on its own sequence alone, whatever it is computed with.
//
// Threads: const calls may run together, each with a workspace of its own.

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "models/clip/weight_reader.h"
#include "models/clip/workspace.h"

namespace zeroshelf {

// Tokens that are multiplied together: enough that a weight is used often while it is in cache, and
// few enough that what lies between two multiplications stays there. Measured: docs/performance.md.
inline constexpr size_t kBatchTokens = 400;

struct Sequence {
  size_t first = 0;  // row of the stream
  size_t length = 0;
  size_t answer = 0;  // the token whose result is wanted
};

class Transformer {
 public:
  // threads: that read and pack the weights.
  Transformer(const std::vector<BlockNames>& names, const TransformerConfig& config, bool is_causal,
              const WeightReader& reader, unsigned threads);

  const Kernels& kernels() const { return kernels_; }

  // What runs after the blocks, as one more of which only the answers' rows are wanted.
  void append(CpuBlock pool) { blocks_.push_back(std::move(pool)); }

  // space.stream holds [rows, width]; the answers' rows come out in space.chosen.
  void run(Workspace& space, size_t rows, std::span<const Sequence> sequences) const;
  // Every row comes out, in space.stream.
  void run_all(Workspace& space, size_t rows, std::span<const Sequence> sequences) const;

 private:
  void run_block(const CpuBlock& block, Workspace& space, size_t rows,
                 std::span<const Sequence> sequences) const;
  void run_last(const CpuBlock& block, Workspace& space, size_t rows,
                std::span<const Sequence> sequences) const;
  Operand attention_parts(const CpuBlock& block, Workspace& space, size_t rows) const;
  Operand normed_parts(const CpuBlock& block, Workspace& space, const Operand& normalised,
                       size_t rows) const;
  Operand hidden_of(const CpuBlock& block, Workspace& space, const Operand& normalised,
                    size_t rows) const;
  void attend(Workspace& space, const Operand& parts, const Sequence& sequence, size_t first_query,
              size_t end_query, const Operand& out, size_t out_row) const;
  void finish_block(const CpuBlock& block, Workspace& space, const Operand& mixed, float* stream,
                    size_t rows) const;
  Operand layer_norm(Workspace& space, const NormWeights& weights, const float* x,
                     size_t rows) const;
  Operand as_it_is(Workspace& space, const float* x, size_t rows) const;

  const Kernels& kernels_;
  size_t heads_;
  size_t width_;
  size_t mlp_width_;
  bool is_causal_;
  bool is_normed_after_;
  std::vector<CpuBlock> blocks_;
};

// The answers' rows -> the shared space. Any step may be missing.
class Head {
 public:
  // hidden: a multiplication before the projection, with GELU behind it.
  Head(std::optional<NormWeights> norm, const LinearNames& hidden, const LinearNames& projection,
       const TransformerConfig& config, const WeightReader& reader);

  // From space.chosen; out: [rows, dimension].
  void run(Workspace& space, size_t rows, float* out) const;

 private:
  const Kernels& kernels_;
  size_t width_;
  std::optional<NormWeights> norm_;
  std::optional<PackedLinear> hidden_;
  size_t hidden_width_;
  std::optional<PackedLinear> projection_;
};

}  // namespace zeroshelf
