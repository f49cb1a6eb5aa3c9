#pragma once

// Inside lib/vectors: the register of fixed_tile.h with AVX-512 and VNNI, for files that are
// compiled for these. Internal linkage, as there.

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "lib/vectors/kernel.h"

namespace zeroshelf::kernel {
namespace {

struct Avx512 {
  using Register = __m512i;
  static constexpr size_t kValues = 32;
  static constexpr size_t kSums = 24;
  static Register zero() { return _mm512_setzero_si512(); }
  static Register load(const int16_t* values) { return _mm512_loadu_si512(values); }
  static void store(int16_t* values, Register v) { _mm512_storeu_si512(values, v); }
  static Register fixed(const uint16_t* halves) {
    return _mm512_mask_mov_epi16(low_bits(halves), 0xaaaaaaaa,
                                 _mm512_slli_epi32(low_bits(halves + 16), 16));
  }
  static Register watch(Register seen, const uint16_t* halves) {
    const Register bits = _mm512_loadu_si512(halves);
    return _mm512_max_epu16(seen, _mm512_add_epi16(bits, bits));
  }
  static bool any_beyond(Register seen) {
    return _mm512_cmpge_epu16_mask(seen, _mm512_set1_epi16(kOneWithoutSign)) != 0;
  }
  // The intrinsic makes GCC 12 copy every sum before each use, at half the speed.
  static Register add_products(Register sum, Register a, Register b) {
    asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
    return sum;
  }
  static void totals(const Register* v, int32_t* out) {
    const Register ab =
        _mm512_add_epi32(_mm512_unpacklo_epi32(v[0], v[1]), _mm512_unpackhi_epi32(v[0], v[1]));
    const Register cd =
        _mm512_add_epi32(_mm512_unpacklo_epi32(v[2], v[3]), _mm512_unpackhi_epi32(v[2], v[3]));
    const Register abcd =
        _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    const __m256i half =
        _mm256_add_epi32(_mm512_castsi512_si256(abcd), _mm512_extracti32x8_epi32(abcd, 1));
    _mm_storeu_si128(
        reinterpret_cast<__m128i*>(out),
        _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)));
  }

 private:
  // See kToFixedPoint.
  static Register low_bits(const uint16_t* halves) {
    const __m512 values =
        _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(halves)));
    return _mm512_castps_si512(_mm512_add_ps(values, _mm512_set1_ps(kToFixedPoint)));
  }
};

}  // namespace
}  // namespace zeroshelf::kernel
