// The inner products with AVX-512. Tested by tests/vectors/scan_test.cc.

#include <immintrin.h>

#include "lib/vectors/kernel.h"
#include "lib/vectors/kernel_tile.h"

namespace zeroshelf::kernel {
namespace {

struct Avx512 {
  using Register = __m512;
  static constexpr size_t kLanes = 16;
  static constexpr size_t kSums = 24;
  static constexpr size_t kPanelRows = 4;
  static constexpr size_t kPanelQueries = 6;
  static Register zero() { return _mm512_setzero_ps(); }
  static Register load(const float* values) { return _mm512_loadu_ps(values); }
  static Register load(const uint16_t* halves) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(halves)));
  }
  static Register multiply_add(Register a, Register b, Register sum) {
    return _mm512_fmadd_ps(a, b, sum);
  }
  static void store(float* values, Register v) { _mm512_storeu_ps(values, v); }
  // Within each quarter the lanes of the four are added up side by side, then the quarters.
  static void totals(const Register* v, float* out) {
    const Register ab =
        _mm512_add_ps(_mm512_unpacklo_ps(v[0], v[1]), _mm512_unpackhi_ps(v[0], v[1]));
    const Register cd =
        _mm512_add_ps(_mm512_unpacklo_ps(v[2], v[3]), _mm512_unpackhi_ps(v[2], v[3]));
    const Register abcd = _mm512_add_ps(_mm512_shuffle_ps(ab, cd, _MM_SHUFFLE(1, 0, 1, 0)),
                                        _mm512_shuffle_ps(ab, cd, _MM_SHUFFLE(3, 2, 3, 2)));
    const __m256 half =
        _mm256_add_ps(_mm512_castps512_ps256(abcd), _mm512_extractf32x8_ps(abcd, 1));
    _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1)));
  }
};

}  // namespace

void inner_products_avx512(const uint16_t* rows, size_t row_count, size_t dimension,
                           const float* queries, size_t query_count, float* out) {
  all_tiles<Avx512>(rows, row_count, dimension, queries, query_count, out);
}

void scattered_products_avx512(const uint16_t* const* rows, size_t row_count, size_t dimension,
                               const float* query, float* out) {
  scattered_rows<Avx512>(rows, row_count, dimension, query, out);
}

}  // namespace zeroshelf::kernel
