#pragma once

// Inside lib/util/fp16.cc and the portable kernel of lib/vectors: fp16 by integers and floats alone.
// (No compiler's own type does: g++ 12 has none for C++ on arm64, clang 14 none on x86-64.)

#include <cstdint>

namespace zeroshelf::kernel {

// Exact, subnormal numbers too. static: each file has its own, so no code for more than the base
// processor gets around.
static inline float from_half(const uint16_t* half) {
  uint16_t bits;
  __builtin_memcpy(&bits, half, sizeof bits);  // rows in a file lie at any alignment
  const uint32_t magnitude = bits & 0x7fffu;
  // The exponent's other bias by a multiplication, which makes subnormal halves normal floats.
  const float value = __builtin_bit_cast(float, magnitude << 13) * 0x1p112f;
  const uint32_t beyond = magnitude >= 0x7c00u ? 0x7f80'0000u : 0u;  // infinite, or no number
  const uint32_t sign = (bits & 0x8000u) << 16;
  return __builtin_bit_cast(float, __builtin_bit_cast(uint32_t, value) | beyond | sign);
}

// To the nearest, ties to even; what is too large becomes infinite; what is no number, a quiet one.
static inline uint16_t to_half(float value) {
  const auto bits = __builtin_bit_cast(uint32_t, value);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fff'ffffu;
  uint32_t half;
  if (magnitude > 0x7f80'0000u) {
    half = 0x7e00u | ((magnitude >> 13) & 0x3ffu);
  } else if (magnitude >= 0x4780'0000u) {  // 65536
    half = 0x7c00u;
  } else if (magnitude < 0x3880'0000u) {  // 2^-14, the least that is not subnormal
    // In a sum with 0.5 the last bit is worth 2^-24, as in a subnormal half.
    half = __builtin_bit_cast(uint32_t, __builtin_bit_cast(float, magnitude) + 0.5f) - 0x3f00'0000u;
  } else {
    const uint32_t odd = (magnitude >> 13) & 1u;
    half = (magnitude - (112u << 23) + 0xfffu + odd) >> 13;
  }
  return static_cast<uint16_t>(sign | half);
}

}  // namespace zeroshelf::kernel
