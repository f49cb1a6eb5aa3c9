// Inner products in fixed point for any processor. Tested by tests/vectors/fixed_point_test.cc.

#include "lib/vectors/fixed_register_portable.h"
#include "lib/vectors/fixed_tile.h"

namespace zeroshelf::kernel {

bool fixed_products_portable(const uint16_t* rows, size_t row_count, size_t dimension,
                             const FixedQueries& queries, float* out) {
  return fixed_products<Portable>(rows, row_count, dimension, queries, out);
}

}  // namespace zeroshelf::kernel
