// The inner products for any processor. Tested by tests/vectors.

#include "lib/util/half.h"
#include "lib/vectors/kernel.h"
#include "lib/vectors/kernel_tile.h"

namespace zeroshelf::kernel {
namespace {

// Eight floats, which the compiler may keep in whatever registers there are.
struct Portable {
  struct Register {
    float lane[8];
  };
  static constexpr size_t kLanes = 8;
  static constexpr size_t kSums = 6;
  static constexpr size_t kPanelRows = 2;
  static constexpr size_t kPanelQueries = 3;
  static Register zero() { return {}; }
  static Register load(const float* values) {
    Register r;
    __builtin_memcpy(&r, values, sizeof r);
    return r;
  }
  static Register load(const uint16_t* halves) {
    Register r;
    for (size_t i = 0; i < kLanes; ++i) r.lane[i] = from_half(halves + i);
    return r;
  }
  static Register multiply_add(const Register& a, const Register& b, Register sum) {
    for (size_t i = 0; i < kLanes; ++i) sum.lane[i] += a.lane[i] * b.lane[i];
    return sum;
  }
  static void store(float* values, const Register& v) { __builtin_memcpy(values, &v, sizeof v); }
  static void totals(const Register* v, float* out) {
    for (size_t i = 0; i < 4; ++i) {
      out[i] = 0;
      for (const float value : v[i].lane) out[i] += value;
    }
  }
};

}  // namespace

void inner_products_portable(const uint16_t* rows, size_t row_count, size_t dimension,
                             const float* queries, size_t query_count, float* out) {
  all_tiles<Portable>(rows, row_count, dimension, queries, query_count, out);
}

void scattered_products_portable(const uint16_t* const* rows, size_t row_count, size_t dimension,
                                 const float* query, float* out) {
  scattered_rows<Portable>(rows, row_count, dimension, query, out);
}

void code_sums_portable(const uint8_t* codes, size_t blocks, size_t groups, const uint8_t* tables,
                        uint16_t* sums) {
  for (size_t block = 0; block < blocks; ++block, sums += kCodeBlock) {
    __builtin_memset(sums, 0, kCodeBlock * sizeof *sums);
    for (size_t group = 0; group < groups; ++group, codes += kCodeBlock / 2) {
      const uint8_t* const table = tables + 16 * group;
      for (size_t i = 0; i < kCodeBlock / 2; ++i) {
        sums[i] = static_cast<uint16_t>(sums[i] + table[codes[i] & 15]);
        sums[i + 16] = static_cast<uint16_t>(sums[i + 16] + table[codes[i] >> 4]);
      }
    }
  }
}

}  // namespace zeroshelf::kernel
