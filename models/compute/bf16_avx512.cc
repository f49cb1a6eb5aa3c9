// The kernels in bfloat16 with AVX512-BF16. Tested by tests/clip/network_test.cc.

#include "models/compute/bf16_rounding.h"

namespace zeroshelf::clip_kernels {
namespace {

// Twelve rows of two registers of sums, two of the panel and one of a row: 27 of 32.
struct Vectors : HardwareRounding {
  static constexpr size_t kRows = 12;
  static constexpr size_t kDepth = 8;

  static void begin() {}
  static void end() {}

  static void products(const uint16_t* x, size_t x_step, size_t rows, const uint16_t* panel,
                       size_t depth, bool is_first, float* sums, size_t sums_step) {
    choose<kRows>(rows)(x, x_step, panel, depth, is_first, sums, sums_step);
  }

 private:
  using Products = void (*)(const uint16_t*, size_t, const uint16_t*, size_t, bool, float*, size_t);

  static __m512i everywhere(int numbers) {
    __m512i result = _mm512_set1_epi32(numbers);
#ifdef __clang__
    asm("" : "+v"(result));  // clang 16 crashes when it sees pairs of bf16 broadcast
#endif
    return result;
  }

  template <size_t Rows>
  static Products choose(size_t rows) {
    if constexpr (Rows > 1) {
      if (rows < Rows) return choose<Rows - 1>(rows);
    }
    return products_of<Rows>;
  }

  template <size_t Rows>
  static void products_of(const uint16_t* x, size_t x_step, const uint16_t* panel, size_t depth,
                          bool is_first, float* to, size_t step) {
    __m512 sums[Rows][2];
#pragma GCC unroll 12
    for (size_t i = 0; i < Rows; ++i) {
      sums[i][0] = is_first ? __m512{} : _mm512_loadu_ps(to + i * step);
      sums[i][1] = is_first ? __m512{} : _mm512_loadu_ps(to + i * step + kLanes);
    }
    for (size_t block = 0; block < depth; ++block, x += x_step) {
      for (size_t pair = 0; pair < kPairs; ++pair, panel += 2 * kBlock) {
        const auto lower = reinterpret_cast<__m512bh>(_mm512_loadu_si512(panel));
        const auto upper = reinterpret_cast<__m512bh>(_mm512_loadu_si512(panel + kBlock));
#pragma GCC unroll 12
        for (size_t i = 0; i < Rows; ++i) {
          int numbers;
          __builtin_memcpy(&numbers, x + i * kBlock + 2 * pair, sizeof numbers);
          const auto left = reinterpret_cast<__m512bh>(everywhere(numbers));
          sums[i][0] = _mm512_dpbf16_ps(sums[i][0], left, lower);
          sums[i][1] = _mm512_dpbf16_ps(sums[i][1], left, upper);
        }
      }
    }
#pragma GCC unroll 12
    for (size_t i = 0; i < Rows; ++i) {
      _mm512_storeu_ps(to + i * step, sums[i][0]);
      _mm512_storeu_ps(to + i * step + kLanes, sums[i][1]);
    }
  }
};

}  // namespace

const Kernels kAvx512Bf16 = make_bf16_kernels<Vectors>("avx512-bf16");

}  // namespace zeroshelf::clip_kernels
