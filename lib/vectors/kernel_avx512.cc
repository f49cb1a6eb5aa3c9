// The inner products with AVX-512. Tested by tests/vectors/scan_test.cc.

#include <immintrin.h>

#include "lib/vectors/kernel.h"
#include "lib/vectors/kernel_tile.h"

namespace zeroshelf::kernel {
namespace {

struct Avx512 {
  using Register = __m512;
  static constexpr size_t kLanes = 16;
  static Register zero() { return _mm512_setzero_ps(); }
  static Register load(const float* values) { return _mm512_loadu_ps(values); }
  static Register load_halves(const uint16_t* halves) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(halves)));
  }
  static Register multiply_add(Register a, Register b, Register sum) {
    return _mm512_fmadd_ps(a, b, sum);
  }
  static float total(Register v) { return _mm512_reduce_add_ps(v); }
};

}  // namespace

void inner_products_avx512(const uint16_t* rows, size_t row_count, size_t dimension,
                           const float* queries, size_t query_count, float* out) {
  all_tiles<Avx512>(rows, row_count, dimension, queries, query_count, out);
}

}  // namespace zeroshelf::kernel
