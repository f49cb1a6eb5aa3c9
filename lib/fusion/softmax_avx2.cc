// softmax.h with AVX2 and FMA. Tested by tests/fusion/softmax_test.cc.

#include <immintrin.h>

#include "lib/fusion/softmax_kernel.h"

namespace zeroshelf::kernel {
namespace {

struct Avx2 {
  using Register = __m256;
  static constexpr size_t kLanes = 8;
  static Register set(float x) { return _mm256_set1_ps(x); }
  static Register load(const float* p) { return _mm256_loadu_ps(p); }
  static Register load_first(const float* p, size_t n) {
    return _mm256_maskload_ps(p, _mm256_castps_si256(mask(n)));
  }
  static void store(float* p, Register v) { _mm256_storeu_ps(p, v); }
  static Register add(Register a, Register b) { return _mm256_add_ps(a, b); }
  static Register multiply(Register a, Register b) { return _mm256_mul_ps(a, b); }
  static Register multiply_add(Register a, Register b, Register c) {
    return _mm256_fmadd_ps(a, b, c);
  }
  static Register max(Register a, Register b) { return _mm256_max_ps(a, b); }
  static Register first_lanes(Register v, size_t n, Register rest) {
    return _mm256_blendv_ps(rest, v, mask(n));
  }
  static Register replace_lane(Register v, size_t i, float x) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i own = _mm256_cmpeq_epi32(_mm256_set1_epi32(static_cast<int>(i)), lane);
    return _mm256_blendv_ps(v, set(x), _mm256_castsi256_ps(own));
  }
  static Register if_greater(Register a, Register b, Register x, Register y) {
    return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_GT_OQ));
  }
  static void transpose(Register* v) {
    Register pairs[8];  // of rows 2i and 2i + 1
    Register quads[8];
    unrolled<4>([&](auto i) [[gnu::always_inline]] {
      pairs[2 * i] = _mm256_unpacklo_ps(v[2 * i], v[2 * i + 1]);
      pairs[2 * i + 1] = _mm256_unpackhi_ps(v[2 * i], v[2 * i + 1]);
    });
    unrolled<2>([&](auto i) [[gnu::always_inline]] {
      unrolled<2>([&](auto half) [[gnu::always_inline]] {
        const Register a = pairs[4 * i + half];
        const Register b = pairs[4 * i + 2 + half];
        quads[4 * i + 2 * half] = _mm256_shuffle_ps(a, b, _MM_SHUFFLE(1, 0, 1, 0));
        quads[4 * i + 2 * half + 1] = _mm256_shuffle_ps(a, b, _MM_SHUFFLE(3, 2, 3, 2));
      });
    });
    unrolled<4>([&](auto i) [[gnu::always_inline]] {
      v[i] = _mm256_permute2f128_ps(quads[i], quads[4 + i], 0x20);
      v[4 + i] = _mm256_permute2f128_ps(quads[i], quads[4 + i], 0x31);
    });
  }
  static float largest(Register v) {
    __m128 half = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_max_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_max_ss(half, _mm_movehdup_ps(half)));
  }
  static float total(Register v) {
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
  }
  static uint32_t equal(Register v, float x) {
    return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(v, set(x), _CMP_EQ_OQ)));
  }
  static Register round(Register v) {
    return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  static Register times_power_of_two(Register v, Register n) {
    const __m256i exponent = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(v), exponent));
  }

 private:
  static Register mask(size_t n) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lane));
  }
};

}  // namespace
}  // namespace zeroshelf::kernel

ZEROSHELF_DEFINE_SOFTMAX_KERNEL(avx2, Avx2)
