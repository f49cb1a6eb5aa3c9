// The inner products with AVX2, FMA and F16C. Tested by tests/vectors.

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

void scattered_products_avx2(const uint16_t* const* rows, size_t row_count, size_t dimension,
                             const float* query, float* out) {
  scattered_rows<Avx2>(rows, row_count, dimension, query, out);
}

// Bytes are added up as halves of 16-bit numbers: the odd ones alone, and both together, from which
// the odd ones are taken off at the end.
void code_sums_avx2(const uint8_t* codes, size_t blocks, size_t groups, const uint8_t* tables,
                    uint16_t* sums) {
  const __m256i lower_half = _mm256_set1_epi8(15);
  const auto load = [](const uint8_t* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  };
  const auto store = [](__m256i both, __m256i odd, uint16_t* out) {
    const __m256i even = _mm256_sub_epi16(both, _mm256_slli_epi16(odd, 8));
    // The lanes are groups of their own.
    const __m128i evens =
        _mm_add_epi16(_mm256_castsi256_si128(even), _mm256_extracti128_si256(even, 1));
    const __m128i odds =
        _mm_add_epi16(_mm256_castsi256_si128(odd), _mm256_extracti128_si256(odd, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_unpacklo_epi16(evens, odds));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 8), _mm_unpackhi_epi16(evens, odds));
  };
  for (size_t block = 0; block < blocks; ++block, sums += kCodeBlock) {
    __m256i low_both = _mm256_setzero_si256();
    __m256i low_odd = low_both;
    __m256i high_both = low_both;
    __m256i high_odd = low_both;
    for (size_t group = 0; group < groups; group += 2, codes += kCodeBlock) {
      const __m256i table = load(tables + 16 * group);
      const __m256i code = load(codes);
      const __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(code, lower_half));
      const __m256i high =
          _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(code, 4), lower_half));
      low_both = _mm256_add_epi16(low_both, low);
      low_odd = _mm256_add_epi16(low_odd, _mm256_srli_epi16(low, 8));
      high_both = _mm256_add_epi16(high_both, high);
      high_odd = _mm256_add_epi16(high_odd, _mm256_srli_epi16(high, 8));
    }
    store(low_both, low_odd, sums);
    store(high_both, high_odd, sums + 16);
  }
}

}  // namespace zeroshelf::kernel
