// Inner products in fixed point with AVX-512 and VNNI. Tested by tests/vectors/fixed_point_test.cc
// where the processor has them.

#include "lib/vectors/fixed_register_avx512.h"
#include "lib/vectors/fixed_tile.h"

namespace zeroshelf::kernel {

bool fixed_products_avx512(const uint16_t* rows, size_t row_count, size_t dimension,
                           const FixedQueries& queries, float* out) {
  return fixed_products<Avx512>(rows, row_count, dimension, queries, out);
}

}  // namespace zeroshelf::kernel
