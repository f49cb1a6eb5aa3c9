// Tested by tests/clip/network_test.cc and golden_models_test.cc.

#include "models/clip/transformer.h"

#include <algorithm>

#include "lib/util/parallel.h"

namespace zeroshelf {

Transformer::Transformer(const std::vector<BlockNames>& names, const TransformerConfig& config,
                         bool is_causal, const WeightReader& reader, unsigned threads)
    : kernels_(reader.kernels()),
      heads_(static_cast<size_t>(config.heads)),
      width_(static_cast<size_t>(config.width)),
      mlp_width_(static_cast<size_t>(config.mlp_width)),
      is_causal_(is_causal),
      is_normed_after_(config.is_normed_after) {
  std::vector<std::optional<CpuBlock>> read(names.size());
  parallel_chunks(names.size(), 1, threads, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) read[i].emplace(reader.block(names[i], config));
  });
  for (auto& block : read) blocks_.push_back(std::move(*block));
}

void Transformer::run(Workspace& space, size_t rows, std::span<const Sequence> sequences) const {
  for (size_t i = 0; i + 1 < blocks_.size(); ++i) run_block(blocks_[i], space, rows, sequences);
  run_last(blocks_.back(), space, rows, sequences);
}

void Transformer::run_all(Workspace& space, size_t rows,
                          std::span<const Sequence> sequences) const {
  for (const CpuBlock& block : blocks_) run_block(block, space, rows, sequences);
}

void Transformer::run_block(const CpuBlock& block, Workspace& space, size_t rows,
                            std::span<const Sequence> sequences) const {
  float* stream = space.stream.floats(rows * width_);
  const Operand parts = attention_parts(block, space, rows);
  const Operand mixed = space.mixed.make(kernels_, rows, width_);
  for (const Sequence& sequence : sequences) {
    attend(space, parts, sequence, 0, sequence.length, mixed, sequence.first);
  }
  finish_block(block, space, mixed, stream, rows);
}

// Only the answers' rows of the last block are wanted.
void Transformer::run_last(const CpuBlock& block, Workspace& space, size_t rows,
                           std::span<const Sequence> sequences) const {
  const float* stream = space.stream.floats(rows * width_);
  const Operand parts = attention_parts(block, space, rows);
  float* chosen = space.chosen.floats(sequences.size() * width_);
  const Operand mixed = space.mixed.make(kernels_, sequences.size(), width_);
  for (size_t i = 0; i < sequences.size(); ++i) {
    const Sequence& sequence = sequences[i];
    if (block.drops_input) {
      std::fill_n(chosen + i * width_, width_, 0.0f);
    } else {
      std::copy_n(stream + (sequence.first + sequence.answer) * width_, width_,
                  chosen + i * width_);
    }
    attend(space, parts, sequence, sequence.answer, sequence.answer + 1, mixed, i);
  }
  finish_block(block, space, mixed, chosen, sequences.size());
}

Operand Transformer::attention_parts(const CpuBlock& block, Workspace& space, size_t rows) const {
  const float* stream = space.stream.floats(rows * width_);
  const Operand normalised = is_normed_after_
                                 ? as_it_is(space, stream, rows)
                                 : layer_norm(space, block.before_attention, stream, rows);
  if (block.queries) return normed_parts(block, space, normalised, rows);
  const Operand parts = space.parts.make(kernels_, rows, 3 * width_);
  block.queries_keys_values.run(normalised, rows, parts);
  return parts;
}

// With each head's queries and keys normed.
Operand Transformer::normed_parts(const CpuBlock& block, Workspace& space,
                                  const Operand& normalised, size_t rows) const {
  float* wide = space.wide.floats(rows * 3 * width_);
  block.queries_keys_values.run(normalised, rows, wide);
  const size_t head_width = width_ / heads_;
  for (size_t row = 0; row < rows; ++row) {
    float* queries = wide + row * 3 * width_;
    float* keys = queries + width_;
    kernels_.layer_norm_floats(queries, heads_, head_width, block.queries->norm(), queries);
    kernels_.layer_norm_floats(keys, heads_, head_width, block.keys->norm(), keys);
  }
  const Operand parts = space.parts.make(kernels_, rows, 3 * width_);
  kernels_.put(wide, rows, 3 * width_, parts, 0);
  return parts;
}

void Transformer::attend(Workspace& space, const Operand& parts, const Sequence& sequence,
                         size_t first_query, size_t end_query, const Operand& out,
                         size_t out_row) const {
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
void Transformer::finish_block(const CpuBlock& block, Workspace& space, const Operand& mixed,
                               float* stream, size_t rows) const {
  const auto norm_in_place = [&](const NormWeights& weights) {
    kernels_.layer_norm_floats(stream, rows, width_, weights.norm(), stream);
  };
  block.attention_out.run(mixed, rows, stream);
  if (is_normed_after_) norm_in_place(block.before_attention);
  const Operand normalised = is_normed_after_ ? as_it_is(space, stream, rows)
                                              : layer_norm(space, block.before_mlp, stream, rows);
  block.mlp_out.run(hidden_of(block, space, normalised, rows), rows, stream);
  if (is_normed_after_) norm_in_place(block.before_mlp);
}

// Between the MLP's two multiplications.
Operand Transformer::hidden_of(const CpuBlock& block, Workspace& space, const Operand& normalised,
                               size_t rows) const {
  const Operand hidden = space.hidden.make(kernels_, rows, mlp_width_);
  if (!block.in_mlp) {
    block.mlp_in.run(normalised, rows, hidden);
    return hidden;
  }
  float* wide = space.wide.floats(rows * mlp_width_);
  block.mlp_in.run(normalised, rows, wide);
  kernels_.layer_norm(wide, rows, mlp_width_, block.in_mlp->norm(), hidden);
  return hidden;
}

Operand Transformer::as_it_is(Workspace& space, const float* x, size_t rows) const {
  const Operand out = space.normalised.make(kernels_, rows, width_);
  kernels_.put(x, rows, width_, out, 0);
  return out;
}

Operand Transformer::layer_norm(Workspace& space, const NormWeights& weights, const float* x,
                                size_t rows) const {
  const Operand out = space.normalised.make(kernels_, rows, width_);
  kernels_.layer_norm(x, rows, width_, weights.norm(), out);
  return out;
}

Head::Head(std::optional<NormWeights> norm, const LinearNames& hidden,
           const LinearNames& projection, const TransformerConfig& config, const WeightReader& reader)
    : kernels_(reader.kernels()),
      width_(static_cast<size_t>(config.width)),
      norm_(std::move(norm)),
      hidden_width_(static_cast<size_t>(hidden.out)) {
  if (!hidden.weights.empty()) hidden_.emplace(reader.linear(hidden, After::Gelu));
  if (!projection.weights.empty()) projection_.emplace(reader.linear(projection, After::Nothing));
}

void Head::run(Workspace& space, size_t rows, float* out) const {
  const float* chosen = space.chosen.floats(rows * width_);
  if (!projection_) {
    if (norm_) return kernels_.layer_norm_floats(chosen, rows, width_, norm_->norm(), out);
    std::copy_n(chosen, rows * width_, out);
    return;
  }
  const Operand normalised = space.normalised.make(kernels_, rows, width_);
  if (norm_) {
    kernels_.layer_norm(chosen, rows, width_, norm_->norm(), normalised);
  } else {
    kernels_.put(chosen, rows, width_, normalised, 0);
  }
  if (!hidden_) return projection_->run(normalised, rows, out);
  const Operand hidden = space.hidden.make(kernels_, rows, hidden_width_);
  hidden_->run(normalised, rows, hidden);
  projection_->run(hidden, rows, out);
}

}  // namespace zeroshelf
