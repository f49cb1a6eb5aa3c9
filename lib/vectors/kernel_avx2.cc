// The inner products and the conversions with AVX2, FMA and F16C. Tested by tests/vectors.

#include <immintrin.h>

#include "lib/vectors/kernel.h"
#include "lib/vectors/kernel_tile.h"

namespace zeroshelf::kernel {
namespace {

struct Avx2 {
  using Register = __m256;
  static constexpr size_t kLanes = 8;
  static constexpr size_t kSums = 12;
  static constexpr size_t kPanelRows = 3;
  static constexpr size_t kPanelQueries = 4;
  static Register zero() { return _mm256_setzero_ps(); }
  static Register load(const float* values) { return _mm256_loadu_ps(values); }
  static Register load(const uint16_t* halves) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(halves)));
  }
  static Register multiply_add(Register a, Register b, Register sum) {
    return _mm256_fmadd_ps(a, b, sum);
  }
  static void store(float* values, Register v) { _mm256_storeu_ps(values, v); }
  // Within each half the lanes of the four are added up side by side, then the halves.
  static void totals(const Register* v, float* out) {
    const Register ab =
        _mm256_add_ps(_mm256_unpacklo_ps(v[0], v[1]), _mm256_unpackhi_ps(v[0], v[1]));
    const Register cd =
        _mm256_add_ps(_mm256_unpacklo_ps(v[2], v[3]), _mm256_unpackhi_ps(v[2], v[3]));
    const Register abcd = _mm256_add_ps(_mm256_shuffle_ps(ab, cd, _MM_SHUFFLE(1, 0, 1, 0)),
                                        _mm256_shuffle_ps(ab, cd, _MM_SHUFFLE(3, 2, 3, 2)));
    _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(abcd), _mm256_extractf128_ps(abcd, 1)));
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
  for (; i + 8 <= count; i += 8) _mm256_storeu_ps(out + i, Avx2::load(halves + i));
  from_fp16_portable(halves + i, count - i, out + i);
}

}  // namespace zeroshelf::kernel
