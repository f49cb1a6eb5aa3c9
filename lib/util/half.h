#pragma once

// Inside lib/util/fp16.cc and the portable kernel of lib/vectors: one fp16 as a float, by the
// compiler's own type.

#include <cstdint>

namespace zeroshelf::kernel {

#if defined(__aarch64__)
using Half = __fp16;  // g++ has _Float16 for C++ there from 13 on
#else
using Half = _Float16;
#endif

// Exact. static: each file has its own, so no code for more than the base processor gets around.
static inline float from_half(const uint16_t* half) {
  uint16_t bits;
  __builtin_memcpy(&bits, half, sizeof bits);  // rows in a file lie at any alignment
  Half value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return static_cast<float>(value);
}

}  // namespace zeroshelf::kernel
