#pragma once

// The largest two of a row of logits, and the denominator of its softmax, for many rows at once:
// what every answer, margin and runner-up needs. Vectorised, by what the processor has.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

namespace zeroshelf {

struct Summary {
  uint32_t best = 0;    // the first of the largest
  uint32_t second = 0;  // the first of the largest of the others; only with two logits or more
  float best_logit = 0;
  float second_logit = 0;
  // Sums of exp(logit - best_logit): over all, so that 1 / sum is the best one's probability; the
  // second's alone, 0 without one.
  float sum = 1;
  float second_share = 0;
};

enum class Exponentials { None, Sum };

// logit(k) = a_scale * a[k] + b_scale * b[k]; b may be null.
struct LogitRow {
  const float* a = nullptr;
  float a_scale = 1;
  const float* b = nullptr;
  float b_scale = 0;
};

// out[i] is of rows[i]: `count` logits, at least one. The two best are exact for the logits in
// float; the sum and the share are within 1e-5 (relative; of a share, where it is above exp(-87))
// of exact arithmetic on them, and depend on no other row. They stay 1 and 0 without Exponentials.
// Logits that are all no numbers make best_logit a NaN; with Exponentials already one of them does.
void summarise(std::span<const LogitRow> rows, size_t count, Exponentials exponentials,
               Summary* out);

// out[k] = exp(logit(k) - best_logit) / sum, of the same logits: within 1e-5 (relative) of exact
// arithmetic, or below 1e-37 where that is.
void softmax(std::span<const float> a, float a_scale, std::span<const float> b, float b_scale,
             const Summary& summary, std::span<float> out);

inline float sigmoid(float logit) {
  return 1 / (1 + std::exp(-logit));
}

namespace kernel {

// One set for each instruction set. b may be null.
using Summarise = void (*)(const LogitRow* rows, size_t row_count, size_t count, bool exponentials,
                           Summary* out);
using Softmax = void (*)(const float* a, float a_scale, const float* b, float b_scale, size_t count,
                         float best_logit, float factor, float* out);

#define ZEROSHELF_SOFTMAX_KERNEL(set)                                                            \
  void summarise_##set(const LogitRow* rows, size_t row_count, size_t count, bool exponentials,  \
                       Summary* out);                                                            \
  void softmax_##set(const float* a, float a_scale, const float* b, float b_scale, size_t count, \
                     float best_logit, float factor, float* out)
ZEROSHELF_SOFTMAX_KERNEL(portable);
ZEROSHELF_SOFTMAX_KERNEL(avx2);
ZEROSHELF_SOFTMAX_KERNEL(avx512);
#undef ZEROSHELF_SOFTMAX_KERNEL

}  // namespace kernel

}  // namespace zeroshelf
