#pragma once

// Inside models/compute: y = after(x W^T + b) on weights that are packed once, with what follows the
// multiplication computed while its result is near, and the memory it works in.
//
//   const clip_kernels::Kernels& kernels = clip_kernels::bf16_kernels();
//   PackedLinear first(kernels, {.in = 768, .out = 3072, .after = After::Gelu}, {weights}, bias);
//   PackedLinear second(kernels, {.in = 3072, .out = 768, .after = After::AddToResult}, ...);
//   OperandBuffer x, hidden;
//   const Operand in = x.make(kernels, rows, 768);
//   kernels.layer_norm(stream, rows, 768, norm, in);
//   const Operand between = hidden.make(kernels, rows, 3072);
//   first.run(in, rows, between);
//   second.run(between, rows, stream);

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/compute/kernels.h"

namespace zeroshelf {

using clip_kernels::After;
using clip_kernels::Kernels;
using clip_kernels::Operand;

// Memory aligned to 64 bytes that only ever grows.
class AlignedBuffer {
 public:
  // At least this many bytes; old contents are lost when it grows, and new ones are 0.
  void* bytes(size_t count);
  // The same for memory that will be written before it is read: nothing is set to 0.
  void* bytes_to_fill(size_t count);
  float* floats(size_t count) { return static_cast<float*>(bytes(count * sizeof(float))); }
  const void* data() const { return memory_.get(); }

 private:
  struct Free {
    void operator()(void* memory) const;
  };
  std::unique_ptr<void, Free> memory_;
  size_t size_ = 0;
};

// Where a matrix that will be multiplied is written. Making the next one ends the last one.
class OperandBuffer {
 public:
  Operand make(const Kernels& kernels, size_t rows, size_t width);

 private:
  AlignedBuffer memory_;
};

// Threads: run() may be called from many, each with matrices of its own.
class PackedLinear {
 public:
  struct Options {
    size_t in = 0;
    size_t out = 0;
    After after = After::Nothing;
  };

  // parts: W, [out, in], cut into matrices below each other, of which each but the last has a
  // multiple of kPackedOut rows; rewritten once into the kernels' layout. bias: [out], or empty.
  // kernels outlives this.
  PackedLinear(const Kernels& kernels, const Options& options,
               std::span<const std::span<const float>> parts, std::span<const float> bias);

  // x: [rows, in]. y: [rows, out], as floats or to be multiplied again. With AddToResult y holds
  // what is added to, as floats.
  void run(const Operand& x, size_t rows, float* y) const;
  void run(const Operand& x, size_t rows, const Operand& y) const;

 private:
  const Kernels& kernels_;
  Options options_;
  std::vector<float> bias_;
  AlignedBuffer packed_;
};

}  // namespace zeroshelf
