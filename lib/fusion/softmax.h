#pragma once

// The largest two of a row of logits, and the denominator of its softmax, in one call: what every
// answer, margin and runner-up needs. Vectorised, by what the processor has.

#include <cstddef>
#include <cstdint>
#include <span>

namespace zeroshelf {

struct Summary {
  uint32_t best = 0;    // the first of the largest
  uint32_t second = 0;  // the first of the largest of the others; only with two logits or more
  float best_logit = 0;
  float second_logit = 0;
  double sum = 1;  // of exp(logit - best_logit); 1 / sum is the best one's probability
};

enum class Exponentials { None, Sum };

// Of logit(k) = a_scale * a[k] + b_scale * b[k]; b is empty or as long as a, which has one element
// at least. The two best are exact for the logits in float; the sum is within 1e-5 (relative) of
// exact arithmetic on them, and the same on every call. sum stays 1 without Exponentials.
// Logits that are all no numbers make best_logit a NaN; with Exponentials already one of them does.
Summary summarise(std::span<const float> a, float a_scale, std::span<const float> b, float b_scale,
                  Exponentials exponentials);

inline Summary summarise(std::span<const float> a, float a_scale, Exponentials exponentials) {
  return summarise(a, a_scale, {}, 0, exponentials);
}

// out[k] = exp(logit(k) - best_logit) / sum, of the same logits: within 1e-5 (relative) of exact
// arithmetic, or below 1e-37 where that is.
void softmax(std::span<const float> a, float a_scale, std::span<const float> b, float b_scale,
             const Summary& summary, std::span<float> out);

namespace kernel {

// b may be null. One set for each instruction set.
using Summarise = Summary (*)(const float* a, float a_scale, const float* b, float b_scale,
                              size_t count, bool exponentials);
using Softmax = void (*)(const float* a, float a_scale, const float* b, float b_scale, size_t count,
                         float best_logit, float factor, float* out);

#define ZEROSHELF_SOFTMAX_KERNEL(set)                                                            \
  Summary summarise_##set(const float* a, float a_scale, const float* b, float b_scale,          \
                          size_t count, bool exponentials);                                      \
  void softmax_##set(const float* a, float a_scale, const float* b, float b_scale, size_t count, \
                     float best_logit, float factor, float* out)
ZEROSHELF_SOFTMAX_KERNEL(portable);
ZEROSHELF_SOFTMAX_KERNEL(avx2);
ZEROSHELF_SOFTMAX_KERNEL(avx512);
#undef ZEROSHELF_SOFTMAX_KERNEL

}  // namespace kernel

}  // namespace zeroshelf
