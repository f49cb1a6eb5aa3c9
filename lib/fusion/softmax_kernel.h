#pragma once

// Inside lib/fusion: the loops of softmax.h, compiled once for each instruction set. Vector is its
// register of floats:
//   kLanes; set(x); load(p); load_first(p, n): n lanes, the rest 0; store(p, v); add; multiply;
//   multiply_add(a, b, c) = a * b + c; max(a, b): b where one is a NaN; first_lanes(v, n, rest):
//   the first n lanes of v, the others rest; replace_lane(v, i, x); if_greater(a, b, x, y): x where
//   a > b, else y; transpose(v): of kLanes registers; largest(v) and total(v): over the lanes;
//   equal(v, x): a bit a lane, lowest first; round(v): to the nearest integer;
//   times_power_of_two(v, n): v * 2^n for integers n of -126 to 0.
// Everything here has internal linkage.

#include <cstddef>
#include <cstdint>

#include "lib/fusion/softmax.h"
#include "lib/util/unrolled.h"

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
float largest(const Logits<Vector>& logits, size_t count) {
  typename Vector::Register best = Vector::set(kNoLogit);
  for (size_t i = 0; i < count; i += Vector::kLanes) best = Vector::max(logits.at(i, count), best);
  return Vector::largest(best);
}

// The largest of all but the best, and its place.
template <class Vector>
void find_second(const Logits<Vector>& logits, size_t count, Summary& summary) {
  constexpr size_t kLanes = Vector::kLanes;
  const size_t own = summary.best / kLanes * kLanes;
  const auto others = [&](size_t i) {
    const auto v = logits.at(i, count);
    return i == own ? Vector::replace_lane(v, summary.best - own, kNoLogit) : v;
  };
  typename Vector::Register best = Vector::set(kNoLogit);
  for (size_t i = 0; i < count; i += kLanes) best = Vector::max(others(i), best);
  summary.second_logit = Vector::largest(best);
  for (size_t i = 0; i < count; i += kLanes) {
    const uint32_t bits = Vector::equal(others(i), summary.second_logit);
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
float sum_of_exponentials(const Logits<Vector>& logits, size_t count, float best) {
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
  return static_cast<float>(sum);
}

// One row of many logits, along the row.
template <class Vector>
Summary summarise_row(const Logits<Vector>& logits, size_t count, bool exponentials) {
  Summary summary;
  summary.best_logit = largest(logits, count);
  const size_t best = find(logits, count, summary.best_logit);
  if (best == count) {
    summary.best_logit = __builtin_nanf("");
    return summary;
  }
  summary.best = static_cast<uint32_t>(best);
  find_second(logits, count, summary);
  if (!exponentials) return summary;
  summary.sum = sum_of_exponentials(logits, count, summary.best_logit);
  float lanes[Vector::kLanes];
  Vector::store(lanes, exponential<Vector>(Vector::set(summary.second_logit - summary.best_logit)));
  summary.second_share = lanes[0];
  if (summary.sum != summary.sum) summary.best_logit = __builtin_nanf("");
  return summary;
}

// A row a lane: logits[k] holds logit k of kLanes rows.
template <class Vector>
void summarise_columns(const typename Vector::Register* logits, size_t count, bool exponentials,
                       size_t row_count, Summary* out) {
  using Register = typename Vector::Register;
  constexpr size_t kLanes = Vector::kLanes;
  Register best = logits[0];
  Register best_at = Vector::set(0);
  Register second = Vector::set(kNoLogit);
  Register second_at = Vector::set(0);
  if (count > 1) {
    best = Vector::if_greater(logits[1], logits[0], logits[1], logits[0]);
    best_at = Vector::if_greater(logits[1], logits[0], Vector::set(1), Vector::set(0));
    second = Vector::if_greater(logits[1], logits[0], logits[0], logits[1]);
    second_at = Vector::if_greater(logits[1], logits[0], Vector::set(0), Vector::set(1));
  }
  for (size_t k = 2; k < count; ++k) {
    const Register logit = logits[k];
    const Register at = Vector::set(static_cast<float>(k));
    second_at =
        Vector::if_greater(logit, best, best_at, Vector::if_greater(logit, second, at, second_at));
    second = Vector::if_greater(logit, best, best, Vector::max(logit, second));
    best_at = Vector::if_greater(logit, best, at, best_at);
    best = Vector::max(logit, best);
  }
  Register sum = Vector::set(1);
  Register share = Vector::set(0);
  if (exponentials) {
    const Register down = Vector::multiply(best, Vector::set(-1));
    sum = Vector::set(0);
    for (size_t k = 0; k < count; ++k)
      sum = Vector::add(sum, exponential<Vector>(Vector::add(logits[k], down)));
    if (count > 1) share = exponential<Vector>(Vector::add(second, down));
  }
  float of_rows[6][kLanes];
  const Register results[6] = {best_at, second_at, best, second, sum, share};
  for (size_t i = 0; i < 6; ++i) Vector::store(of_rows[i], results[i]);
  for (size_t r = 0; r < row_count; ++r) {
    out[r] = {static_cast<uint32_t>(of_rows[0][r]),
              static_cast<uint32_t>(of_rows[1][r]),
              of_rows[2][r],
              count > 1 ? of_rows[3][r] : 0,
              of_rows[4][r],
              of_rows[5][r]};
    if (out[r].sum != out[r].sum) out[r].best_logit = __builtin_nanf("");
  }
}

// Up to this many logits are turned from a row a register into a row a lane.
constexpr size_t kFewLogits = 64;

template <class Vector>
void summarise_with(const LogitRow* rows, size_t row_count, size_t count, bool exponentials,
                    Summary* out) {
  constexpr size_t kLanes = Vector::kLanes;
  if (count > kFewLogits) {
    for (size_t r = 0; r < row_count; ++r)
      out[r] = summarise_row(Logits<Vector>(rows[r].a, rows[r].a_scale, rows[r].b, rows[r].b_scale),
                             count, exponentials);
    return;
  }
  typename Vector::Register columns[kFewLogits];
  for (size_t first = 0; first < row_count; first += kLanes) {
    const size_t together = row_count - first < kLanes ? row_count - first : kLanes;
    for (size_t k = 0; k < count; k += kLanes) {
      unrolled<kLanes>([&](auto lane) [[gnu::always_inline]] {
        const LogitRow& row = rows[lane < together ? first + lane : first];
        columns[k + lane] = Logits<Vector>(row.a, row.a_scale, row.b, row.b_scale).at(k, count);
      });
      Vector::transpose(columns + k);
    }
    summarise_columns<Vector>(columns, count, exponentials, together, out + first);
  }
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
  void summarise_##set(const LogitRow* rows, size_t row_count, size_t count, bool exponentials,  \
                       Summary* out) {                                                           \
    summarise_with<Vector>(rows, row_count, count, exponentials, out);                           \
  }                                                                                              \
  void softmax_##set(const float* a, float a_scale, const float* b, float b_scale, size_t count, \
                     float best_logit, float factor, float* out) {                               \
    softmax_with<Vector>(a, a_scale, b, b_scale, count, best_logit, factor, out);                \
  }                                                                                              \
  }
