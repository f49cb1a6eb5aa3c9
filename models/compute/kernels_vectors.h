#pragma once

// Inside models/compute: arithmetic on vectors of ZEROSHELF_LANES floats, which the including file
// chooses. GCC's vectors, so that all instruction sets are one text; everything has internal
// linkage. Private to what is compiled with an instruction set of its own.

#include "models/compute/kernels.h"

namespace zeroshelf::clip_kernels {
namespace {

constexpr size_t kLanes = ZEROSHELF_LANES;

// Unaligned, and allowed to alias.
typedef float Floats __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef int32_t Ints __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef uint32_t Words __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef uint16_t Halves __attribute__((vector_size(kLanes * 2), aligned(2), may_alias));

inline Floats load(const float* values) {
  return *reinterpret_cast<const Floats*>(values);
}
inline void put(float* values, Floats v) {
  *reinterpret_cast<Floats*>(values) = v;
}
inline Floats all(float value) {
  return value - Floats{};  // x - 0 is x, whatever its sign
}

inline float total(Floats v) {
  float sum = 0;
  for (size_t i = 0; i < kLanes; ++i) sum += v[i];
  return sum;
}

// The upper halves hold bfloat16, rounded to nearest, ties to even.
inline Words rounded_bits(Floats v) {
  const Words bits = reinterpret_cast<Words>(v);
  return bits + 0x7fffu + ((bits >> 16) & 1u);
}

inline float rounded(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  bits = (bits + 0x7fffu + ((bits >> 16) & 1u)) & 0xffff0000u;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

inline Floats rounded(Floats v) {
  return reinterpret_cast<Floats>(rounded_bits(v) & 0xffff0000u);
}

// e^x for x <= 0, relative error below 2e-7; 0 below the smallest normal number. Cephes' expf
// (S. Moshier): x = n ln 2 + r, a polynomial of degree 6 in r, and 2^n from its bits.
inline Floats exponential(Floats x) {
  const Floats lowest = all(-87.0f);
  const Ints is_tiny = x < lowest;
  x = is_tiny ? lowest : x;
  const Floats magic = all(12582912.0f);  // 1.5 * 2^23: adding it rounds to whole numbers
  const Floats n = (x * 1.44269504088896341f + magic) - magic;
  const Floats r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  Floats p = all(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const Ints exponent = (__builtin_convertvector(n, Ints) + 127) << 23;
  const Floats result = p * reinterpret_cast<Floats>(exponent);
  return is_tiny ? Floats{} : result;
}

// x * sigmoid(z).
inline Floats gated(Floats x, Floats z) {
  const Ints is_negative = z < Floats{};
  const Floats e = exponential(is_negative ? z : -z);
  return x * (is_negative ? e : all(1.0f)) / (e + 1.0f);
}

// x * sigmoid(1.702 x).
inline Floats quick_gelu(Floats x) {
  return gated(x, x * 1.702f);
}

// x * (1 + tanh(u)) / 2 with u = sqrt(2 / pi) (x + 0.044715 x^3), which is x * sigmoid(2 u).
inline Floats gelu_tanh(Floats x) {
  return gated(x, (x + x * x * x * 0.044715f) * 1.5957691216057308f);
}

inline Floats relu(Floats x) {
  return x < Floats{} ? Floats{} : x;
}

// x * (1 + erf(x / sqrt 2)) / 2, erf to 1.5e-7 (Abramowitz and Stegun 1964, 7.1.26).
inline Floats gelu(Floats x) {
  const Ints is_negative = x < Floats{};
  const Floats a = (is_negative ? -x : x) * 0.70710678118654752f;
  const Floats t = 1.0f / (a * 0.3275911f + 1.0f);
  Floats p = all(1.061405429f);
  p = p * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  const Floats rest = p * t * exponential(-(a * a));  // 1 - erf(a)
  return x * 0.5f * (is_negative ? rest : 2.0f - rest);
}

inline Floats finished(Floats sum, After after, Floats before) {
  switch (after) {
    case After::Nothing:
      break;
    case After::QuickGelu:
      return quick_gelu(sum);
    case After::Gelu:
      return gelu(sum);
    case After::GeluTanh:
      return gelu_tanh(sum);
    case After::Relu:
      return relu(sum);
    case After::AddToResult:
      return sum + before;
  }
  return sum;
}

}  // namespace
}  // namespace zeroshelf::clip_kernels
