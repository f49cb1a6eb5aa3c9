// The inner products and the conversions with AVX2, FMA and F16C. Tested by tests/vectors.

#include <immintrin.h>

#include "lib/vectors/kernel.h"
#include "lib/vectors/kernel_tile.h"

namespace zeroshelf::kernel {
namespace {

struct Avx2 {
  using Register = __m256;
  static constexpr size_t kLanes = 8;
  static Register zero() { return _mm256_setzero_ps(); }
  static Register load(const float* values) { return _mm256_loadu_ps(values); }
  static Register load_halves(const uint16_t* halves) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(halves)));
  }
  static Register multiply_add(Register a, Register b, Register sum) {
    return _mm256_fmadd_ps(a, b, sum);
  }
  static float total(Register v) {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
};

}  // namespace

void inner_products_avx2(const uint16_t* rows, size_t row_count, size_t dimension,
                         const float* queries, size_t query_count, float* out) {
  all_tiles<Avx2>(rows, row_count, dimension, queries, query_count, out);
}

void to_fp16_avx2(const float* values, size_t count, uint16_t* out) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i halves = _mm256_cvtps_ph(_mm256_loadu_ps(values + i), _MM_FROUND_TO_NEAREST_INT);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), halves);
  }
  to_fp16_portable(values + i, count - i, out + i);
}

void from_fp16_avx2(const uint16_t* halves, size_t count, float* out) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) _mm256_storeu_ps(out + i, Avx2::load_halves(halves + i));
  from_fp16_portable(halves + i, count - i, out + i);
}

}  // namespace zeroshelf::kernel
