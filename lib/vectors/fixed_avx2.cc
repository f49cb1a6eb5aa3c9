// Inner products in fixed point with AVX2 and F16C. Tested by tests/vectors/fixed_point_test.cc.

#include <immintrin.h>

#include "lib/vectors/fixed_tile.h"

namespace zeroshelf::kernel {
namespace {

struct Avx2 {
  using Register = __m256i;
  static constexpr size_t kValues = 16;
  static constexpr size_t kSums = 12;
  static Register zero() { return _mm256_setzero_si256(); }
  static Register load(const int16_t* values) {
    return _mm256_loadu_si256(reinterpret_cast<const Register*>(values));
  }
  static void store(int16_t* values, Register v) {
    _mm256_storeu_si256(reinterpret_cast<Register*>(values), v);
  }
  static Register fixed(const uint16_t* halves) {
    return _mm256_blend_epi16(low_bits(halves), _mm256_slli_epi32(low_bits(halves + 8), 16), 0xaa);
  }
  static Register watch(Register seen, const uint16_t* halves) {
    const Register bits = _mm256_loadu_si256(reinterpret_cast<const Register*>(halves));
    return _mm256_max_epu16(seen, _mm256_add_epi16(bits, bits));
  }
  static bool any_beyond(Register seen) {
    const Register larger = _mm256_max_epu16(seen, _mm256_set1_epi16(kOneWithoutSign));
    return _mm256_movemask_epi8(_mm256_cmpeq_epi16(larger, seen)) != 0;
  }
  static Register add_products(Register sum, Register a, Register b) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
  }
  static void totals(const Register* v, int32_t* out) {
    const Register ab =
        _mm256_add_epi32(_mm256_unpacklo_epi32(v[0], v[1]), _mm256_unpackhi_epi32(v[0], v[1]));
    const Register cd =
        _mm256_add_epi32(_mm256_unpacklo_epi32(v[2], v[3]), _mm256_unpackhi_epi32(v[2], v[3]));
    const Register abcd =
        _mm256_add_epi32(_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd));
    _mm_storeu_si128(
        reinterpret_cast<__m128i*>(out),
        _mm_add_epi32(_mm256_castsi256_si128(abcd), _mm256_extracti128_si256(abcd, 1)));
  }

 private:
  // See kToFixedPoint.
  static Register low_bits(const uint16_t* halves) {
    const __m256 values =
        _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(halves)));
    return _mm256_castps_si256(_mm256_add_ps(values, _mm256_set1_ps(kToFixedPoint)));
  }
};

}  // namespace

bool fixed_products_avx2(const uint16_t* rows, size_t row_count, size_t dimension,
                         const FixedQueries& queries, float* out) {
  return fixed_products<Avx2>(rows, row_count, dimension, queries, out);
}

}  // namespace zeroshelf::kernel
