#pragma once

// Inside models/clip: y = after(x W^T + b) on weights that are packed once, with what follows the
// multiplication computed while its result is in registers. Names no oneDNN type.
//
// bfloat16 is multiplied by oneDNN, which knows AMX. fp32 is multiplied by our own kernel:
// oneDNN 2.6 chooses another order of summation when the number of rows changes, so that a
// picture's vector would depend on its company; ours is as fast (docs/performance.md).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/compute/kernels.h"

namespace zeroshelf {

// Rows are multiplied in whole steps of this many, which is a tile of AMX, the last ones for
// nothing: code for a remainder may add up in another order.
inline constexpr size_t kRowStep = 16;
inline constexpr size_t whole_rows(size_t rows) {
  return (rows + kRowStep - 1) / kRowStep * kRowStep;
}

// In what the multiplication computes; sums are kept in fp32 always.
enum class Arithmetic {
  Fp32,
  Bf16,         // inputs and weights in bfloat16; needs AVX512-BF16 or AMX
  EmulatedBf16  // the same numbers, multiplied in fp32
};

using clip_kernels::After;

// Whose code multiplies.
enum class Multiplier {
  Best,   // ours for fp32, oneDNN's for bfloat16
  OneDnn  // oneDNN's for all, to compare with; bits may then depend on the number of rows
};

// Memory aligned to 64 bytes that only ever grows.
class AlignedBuffer {
 public:
  // At least this many bytes; old contents are lost when it grows, and new ones are 0.
  void* bytes(size_t count);
  float* floats(size_t count) { return static_cast<float*>(bytes(count * sizeof(float))); }

 private:
  struct Free {
    void operator()(void* memory) const;
  };
  std::unique_ptr<void, Free> memory_;
  size_t size_ = 0;
};

// While it lives, oneDNN (and any OpenMP code) computes in the calling thread alone: threads each
// take pictures of their own, which needs no waiting for each other, and a row's result then does
// not depend on how many threads there are.
class OneThread {
 public:
  OneThread();
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

// Whether this processor and oneDNN multiply bfloat16 natively.
bool multiplies_bf16();

// Threads: run() may be called from many, each under OneThread and with a scratch of its own.
class PackedLinear {
 public:
  struct Options {
    int64_t in = 0;
    int64_t out = 0;
    Arithmetic arithmetic = Arithmetic::Fp32;
    After after = After::Nothing;
    // Whether y is stored as the arithmetic's type, to be multiplied again, instead of float.
    bool is_result_multiplied = false;
    int64_t usual_rows = 400;  // oneDNN's weights are packed for this many
    Multiplier multiplier = Multiplier::Best;
  };

  // weights: [out, in], rewritten once into the layout that is fastest here; bias: [out], or empty.
  // Throws std::exception when oneDNN refuses.
  PackedLinear(const Options& options, std::span<const float> weights, std::span<const float> bias);
  ~PackedLinear();
  PackedLinear(PackedLinear&&) noexcept;

  // rows: a multiple of kRowStep. x: [rows, in], float or with Bf16 bfloat16. y: [rows, out].
  void run(const void* x, int64_t rows, void* y, AlignedBuffer& scratch) const;

  // The name of the code that multiplies, for people.
  std::string kernel() const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace zeroshelf
