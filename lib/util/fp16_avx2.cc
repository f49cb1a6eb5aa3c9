// The conversions with AVX2 and F16C: the only file of this folder that may use more than the base
// instruction set; fp16.cc asks the processor first. Tested by tests/util/fp16_test.cc.

#include <immintrin.h>

#include "lib/util/fp16_kernel.h"

namespace zeroshelf::kernel {

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
  for (; i + 8 <= count; i += 8) {
    const __m128i eight = _mm_loadu_si128(reinterpret_cast<const __m128i*>(halves + i));
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(eight));
  }
  from_fp16_portable(halves + i, count - i, out + i);
}

}  // namespace zeroshelf::kernel
