// softmax.h with AVX-512. Tested by tests/fusion/softmax_test.cc where the processor has it.

#include <immintrin.h>

#include "lib/fusion/softmax_kernel.h"

namespace zeroshelf::kernel {
namespace {

struct Avx512 {
  using Register = __m512;
  static constexpr size_t kLanes = 16;
  static Register set(float x) { return _mm512_set1_ps(x); }
  static Register load(const float* p) { return _mm512_loadu_ps(p); }
  static Register load_first(const float* p, size_t n) { return _mm512_maskz_loadu_ps(mask(n), p); }
  static void store(float* p, Register v) { _mm512_storeu_ps(p, v); }
  static Register add(Register a, Register b) { return _mm512_add_ps(a, b); }
  static Register multiply(Register a, Register b) { return _mm512_mul_ps(a, b); }
  static Register multiply_add(Register a, Register b, Register c) {
    return _mm512_fmadd_ps(a, b, c);
  }
  static Register max(Register a, Register b) { return _mm512_max_ps(a, b); }
  static Register first_lanes(Register v, size_t n, Register rest) {
    return _mm512_mask_mov_ps(rest, mask(n), v);
  }
  static Register replace_lane(Register v, size_t i, float x) {
    return _mm512_mask_mov_ps(v, static_cast<__mmask16>(1u << i), set(x));
  }
  static Register if_greater(Register a, Register b, Register x, Register y) {
    return _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ), x);
  }
  // Within quarters of a register first, then the quarters.
  static void transpose(Register* v) {
    Register pairs[16];  // of rows 2i and 2i + 1
    Register quads[16];
    Register halves[16];
    unrolled<8>([&](auto i) [[gnu::always_inline]] {
      pairs[2 * i] = _mm512_unpacklo_ps(v[2 * i], v[2 * i + 1]);
      pairs[2 * i + 1] = _mm512_unpackhi_ps(v[2 * i], v[2 * i + 1]);
    });
    unrolled<4>([&](auto i) [[gnu::always_inline]] {
      unrolled<2>([&](auto half) [[gnu::always_inline]] {
        const Register a = pairs[4 * i + half];
        const Register b = pairs[4 * i + 2 + half];
        quads[4 * i + 2 * half] = _mm512_shuffle_ps(a, b, _MM_SHUFFLE(1, 0, 1, 0));
        quads[4 * i + 2 * half + 1] = _mm512_shuffle_ps(a, b, _MM_SHUFFLE(3, 2, 3, 2));
      });
    });
    unrolled<4>([&](auto i) [[gnu::always_inline]] {
      unrolled<2>([&](auto side) [[gnu::always_inline]] {
        const Register a = quads[8 * side + i];
        const Register b = quads[8 * side + 4 + i];
        halves[8 * side + i] = _mm512_shuffle_f32x4(a, b, _MM_SHUFFLE(2, 0, 2, 0));
        halves[8 * side + 4 + i] = _mm512_shuffle_f32x4(a, b, _MM_SHUFFLE(3, 1, 3, 1));
      });
    });
    unrolled<4>([&](auto i) [[gnu::always_inline]] {
      unrolled<2>([&](auto odd) [[gnu::always_inline]] {
        const Register a = halves[4 * odd + i];
        const Register b = halves[8 + 4 * odd + i];
        v[4 * odd + i] = _mm512_shuffle_f32x4(a, b, _MM_SHUFFLE(2, 0, 2, 0));
        v[8 + 4 * odd + i] = _mm512_shuffle_f32x4(a, b, _MM_SHUFFLE(3, 1, 3, 1));
      });
    });
  }
  static float largest(Register v) { return _mm512_reduce_max_ps(v); }
  static float total(Register v) { return _mm512_reduce_add_ps(v); }
  static uint32_t equal(Register v, float x) { return _mm512_cmp_ps_mask(v, set(x), _CMP_EQ_OQ); }
  static Register round(Register v) {
    return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  static Register times_power_of_two(Register v, Register n) { return _mm512_scalef_ps(v, n); }

 private:
  static __mmask16 mask(size_t n) { return static_cast<__mmask16>((1u << n) - 1); }
};

}  // namespace
}  // namespace zeroshelf::kernel

ZEROSHELF_DEFINE_SOFTMAX_KERNEL(avx512, Avx512)
