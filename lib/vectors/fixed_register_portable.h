#pragma once

// Inside lib/vectors: the register of fixed_tile.h for any processor. Internal linkage, as there.

#include <cstddef>
#include <cstdint>

#include "lib/util/fp16_kernel.h"
#include "lib/vectors/kernel.h"

namespace zeroshelf::kernel {
namespace {

struct Portable {
  union Register {
    int16_t value[8];
    uint32_t sum[4];  // unsigned, so that what a damaged row adds up to is defined
  };
  static constexpr size_t kValues = 8;
  static constexpr size_t kSums = 6;
  static Register zero() {
    Register r;
    __builtin_memset(&r, 0, sizeof r);
    return r;
  }
  static Register load(const int16_t* values) {
    Register r;
    __builtin_memcpy(&r, values, sizeof r);
    return r;
  }
  static void store(int16_t* values, const Register& v) { __builtin_memcpy(values, &v, sizeof v); }
  static Register fixed(const uint16_t* halves) {
    float floats[kValues];
    from_fp16_portable(halves, kValues, floats);
    Register r;
    for (size_t i = 0; i < kValues; ++i) {
      const float shifted = floats[i] + kToFixedPoint;
      uint32_t bits;
      __builtin_memcpy(&bits, &shifted, sizeof bits);
      r.value[i % 4 * 2 + i / 4] = static_cast<int16_t>(bits);
    }
    return r;
  }
  static Register watch(Register seen, const uint16_t* halves) {
    uint16_t bits[kValues];
    __builtin_memcpy(bits, halves, sizeof bits);  // rows in a file lie at any alignment
    for (const uint16_t b : bits) {
      if (static_cast<uint16_t>(2 * b) >= static_cast<uint16_t>(kOneWithoutSign)) seen.sum[0] = 1;
    }
    return seen;
  }
  static bool any_beyond(const Register& seen) { return seen.sum[0] != 0; }
  static Register add_products(Register sum, const Register& a, const Register& b) {
    for (size_t i = 0; i < 4; ++i) {
      sum.sum[i] += static_cast<uint32_t>(a.value[2 * i] * b.value[2 * i]) +
                    static_cast<uint32_t>(a.value[2 * i + 1] * b.value[2 * i + 1]);
    }
    return sum;
  }
  static void totals(const Register* v, int32_t* out) {
    for (size_t i = 0; i < 4; ++i)
      out[i] = static_cast<int32_t>(v[i].sum[0] + v[i].sum[1] + v[i].sum[2] + v[i].sum[3]);
  }
};

}  // namespace
}  // namespace zeroshelf::kernel
