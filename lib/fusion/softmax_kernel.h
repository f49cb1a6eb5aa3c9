#pragma once

// Inside lib/fusion: the loops of softmax.h, compiled once for each instruction set. Vector is its
// register of floats:
//   kLanes; set(x); load(p); load_first(p, n): n lanes, the rest 0; store(p, v); add; multiply;
//   multiply_add(a, b, c) = a * b + c; max(a, b): b where one is a NaN; first_lanes(v, n, rest):
//   the first n lanes of v, the others rest; largest(v) and total(v): over the lanes; equal(v, x):
//   a bit a lane, lowest first; round(v): to the nearest integer; times_power_of_two(v, n): v * 2^n
//   for integers n of -126 to 0.
// Everything here has internal linkage.

#include <cstddef>
#include <cstdint>

#include "lib/fusion/softmax.h"

namespace zeroshelf::kernel {
namespace {

constexpr float kNoLogit = -__builtin_inff();

// exp(x) for x <= 0, relative error below 3e-7; exp(-87) for what is smaller. By x = n ln 2 + r
// with |r| <= ln 2 / 2, and the series of exp(r) up to its 7th power, whose rest is below 6e-9.
template <class Vector>
typename Vector::Register exponential(typename Vector::Register x) {
  using Register = typename Vector::Register;
  x = Vector::max(Vector::set(-87.0f), x);  // in this order a NaN stays one
  const Register n = Vector::round(Vector::multiply(x, Vector::set(1.44269504088896f)));
  // ln 2 in two parts, the first with few bits, so that n * the first part is exact.
  Register r = Vector::multiply_add(n, Vector::set(-0.693359375f), x);
  r = Vector::multiply_add(n, Vector::set(2.12194440e-4f), r);
  Register p = Vector::set(1.0f / 5040);
  for (const float coefficient : {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f})
    p = Vector::multiply_add(p, r, Vector::set(coefficient));
  return Vector::times_power_of_two(p, n);
}

template <class Vector>
class Logits {
 public:
  using Register = typename Vector::Register;
  Logits(const float* a, float a_scale, const float* b, float b_scale)
      : a_(a), b_(b), a_scale_(Vector::set(a_scale)), b_scale_(Vector::set(b_scale)) {}

  Register whole(size_t i) const {
    const Register a = Vector::multiply(Vector::load(a_ + i), a_scale_);
    return b_ == nullptr ? a : Vector::multiply_add(Vector::load(b_ + i), b_scale_, a);
  }
  // The last ones; lanes beyond them are kNoLogit.
  Register part(size_t i, size_t count) const {
    Register v = Vector::multiply(Vector::load_first(a_ + i, count), a_scale_);
    if (b_ != nullptr) v = Vector::multiply_add(Vector::load_first(b_ + i, count), b_scale_, v);
    return Vector::first_lanes(v, count, Vector::set(kNoLogit));
  }
  Register at(size_t i, size_t count) const {
    return i + Vector::kLanes <= count ? whole(i) : part(i, count - i);
  }

 private:
  const float* a_;
  const float* b_;
  Register a_scale_;
  Register b_scale_;
};

// The first with this logit; count when there is none.
template <class Vector>
size_t find(const Logits<Vector>& logits, size_t count, float wanted) {
  for (size_t i = 0; i < count; i += Vector::kLanes) {
    if (const uint32_t bits = Vector::equal(logits.at(i, count), wanted); bits != 0) {
      const size_t at = i + static_cast<size_t>(__builtin_ctz(bits));
      return at < count ? at : count;
    }
  }
  return count;
}

template <class Vector>
float largest(const Logits<Vector>& logits, size_t begin, size_t end, size_t count) {
  typename Vector::Register best = Vector::set(kNoLogit);
  for (size_t i = begin; i < end; i += Vector::kLanes)
    best = Vector::max(logits.at(i, count), best);
  return Vector::largest(best);
}

// The largest of all but one: whole registers before and behind its own, and in that one lane by
// lane.
template <class Vector>
void find_second(const Logits<Vector>& logits, size_t count, Summary& summary) {
  constexpr size_t kLanes = Vector::kLanes;
  const size_t own = summary.best / kLanes * kLanes;
  float lanes[kLanes];
  Vector::store(lanes, logits.at(own, count));
  lanes[summary.best - own] = kNoLogit;
  const size_t behind = own + kLanes < count ? own + kLanes : count;
  typename Vector::Register best = Vector::load(lanes);
  for (size_t i = 0; i < own; i += kLanes) best = Vector::max(logits.whole(i), best);
  for (size_t i = behind; i < count; i += kLanes) best = Vector::max(logits.at(i, count), best);
  summary.second_logit = Vector::largest(best);
  for (size_t i = 0; i < count; i += kLanes) {
    uint32_t bits = i == own ? Vector::equal(Vector::load(lanes), summary.second_logit)
                             : Vector::equal(logits.at(i, count), summary.second_logit);
    if (bits == 0) continue;
    summary.second = static_cast<uint32_t>(i + static_cast<size_t>(__builtin_ctz(bits)));
    // Two logits of minus infinity: the lane beyond the last, or the best one's own, looks the
    // same.
    if (summary.second == summary.best || summary.second >= count)
      summary.second = summary.best == 0 ? 1 : 0;
    return;
  }
}

// Lanes are added up over so few registers at a time that rounding stays far below the bound.
template <class Vector>
double sum_of_exponentials(const Logits<Vector>& logits, size_t count, float best) {
  using Register = typename Vector::Register;
  constexpr size_t kAtOnce = 32 * Vector::kLanes;
  const Register down = Vector::set(-best);
  double sum = 0;
  for (size_t first = 0; first < count; first += kAtOnce) {
    const size_t end = first + kAtOnce < count ? first + kAtOnce : count;
    Register part = Vector::set(0);
    for (size_t i = first; i < end; i += Vector::kLanes) {
      Register e = exponential<Vector>(Vector::add(logits.at(i, count), down));
      if (i + Vector::kLanes > count) e = Vector::first_lanes(e, count - i, Vector::set(0));
      part = Vector::add(part, e);
    }
    sum += static_cast<double>(Vector::total(part));
  }
  return sum;
}

template <class Vector>
Summary summarise_with(const float* a, float a_scale, const float* b, float b_scale, size_t count,
                       bool exponentials) {
  const Logits<Vector> logits(a, a_scale, b, b_scale);
  Summary summary;
  summary.best_logit = largest(logits, 0, count, count);
  const size_t best = find(logits, count, summary.best_logit);
  if (best == count) {
    summary.best_logit = __builtin_nanf("");
    return summary;
  }
  summary.best = static_cast<uint32_t>(best);
  if (count > 1) find_second(logits, count, summary);
  if (exponentials) summary.sum = sum_of_exponentials(logits, count, summary.best_logit);
  if (summary.sum != summary.sum) summary.best_logit = __builtin_nanf("");
  return summary;
}

template <class Vector>
void softmax_with(const float* a, float a_scale, const float* b, float b_scale, size_t count,
                  float best_logit, float factor, float* out) {
  const Logits<Vector> logits(a, a_scale, b, b_scale);
  const auto down = Vector::set(-best_logit);
  const auto by = Vector::set(factor);
  for (size_t i = 0; i < count; i += Vector::kLanes) {
    const auto p =
        Vector::multiply(exponential<Vector>(Vector::add(logits.at(i, count), down)), by);
    if (i + Vector::kLanes <= count) {
      Vector::store(out + i, p);
    } else {
      float last[Vector::kLanes];
      Vector::store(last, p);
      __builtin_memcpy(out + i, last, (count - i) * sizeof(float));
    }
  }
}

}  // namespace
}  // namespace zeroshelf::kernel

// The functions that softmax.h declares for one instruction set.
#define ZEROSHELF_DEFINE_SOFTMAX_KERNEL(set, Vector)                                             \
  namespace zeroshelf::kernel {                                                                  \
  Summary summarise_##set(const float* a, float a_scale, const float* b, float b_scale,          \
                          size_t count, bool exponentials) {                                     \
    return summarise_with<Vector>(a, a_scale, b, b_scale, count, exponentials);                  \
  }                                                                                              \
  void softmax_##set(const float* a, float a_scale, const float* b, float b_scale, size_t count, \
                     float best_logit, float factor, float* out) {                               \
    softmax_with<Vector>(a, a_scale, b, b_scale, count, best_logit, factor, out);                \
  }                                                                                              \
  }
