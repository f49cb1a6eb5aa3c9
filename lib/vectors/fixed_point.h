#pragma once

// Inner products of many rows with labels, in 16-bit fixed point: about twice as fast as in floats,
// and the same to the bit on every processor, in every block, with any number of labels beside.
//
// A row's values are rounded to multiples of 2^-15 while it is read; an fp16 of at least 2^-5 is
// one already, so this costs about what storing fp16 did. A query is rounded to 16 bits at the
// finest scale at which no sum can overflow. For a unit row x and a query q of up to 4,096
// dimensions the result is within
//   2^-16 |q|_1 + |x|_1 max(max_i |q_i| / 32,767, |q| / 64,000) / 2 + 1e-6 |q|
// of exact arithmetic: for unit vectors of dimension d at most 3.1e-5 sqrt(d), typically 1e-5.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "lib/util/matrix.h"
#include "lib/vectors/kernel.h"
#include "lib/vectors/vector_rows.h"

namespace zeroshelf {

// One variant of the inner loops. All give the same result.
struct FixedPointKernel {
  std::string_view name;  // "amx", "avx512", "avx2", "portable"
  kernel::FixedProducts run;
  size_t register_values;     // 16-bit values in a register
  bool in_tiles = false;      // whether it takes queries in tiles
  size_t fewest_queries = 1;  // from this number on it is faster than the next
};

// The kernels that this processor can run, the fastest first.
std::span<const FixedPointKernel> fixed_point_kernels();

// The fastest kernel for this number of queries and dimensions.
const FixedPointKernel& fixed_point_kernel_for(size_t queries, size_t dimension);

// Queries as the kernels take them. Threads: const uses may run together.
class FixedPointQueries {
 public:
  // Finite values of any length; at least one query. Offsets: what is added to each query's
  // products; one a query, or empty for none.
  explicit FixedPointQueries(const Matrix& queries, std::vector<float> offsets = {});
  // kernel outlives this. One that takes tiles: at most kernel::kMostTiledValues dimensions.
  FixedPointQueries(const Matrix& queries, std::vector<float> offsets,
                    const FixedPointKernel& kernel);

  size_t count() const { return queries_.rows(); }

  // Rows [first_row, first_row + rows) times all queries, with their offsets, row-major
  // [rows, queries]. The rows are
  // unit vectors or zeros; one that holds a value of 1 and more, or what is no number, is
  // multiplied in floats.
  void inner_products(const VectorRows& vectors, Row first_row, size_t rows,
                      std::span<float> out) const;

 private:
  const FixedPointKernel& kernel_;
  Matrix queries_;  // for rows that have no place in fixed point
  size_t stride_;
  std::vector<int16_t> values_;  // in panels; empty where the kernel takes tiles
  std::vector<uint8_t> tiles_;
  std::vector<float> units_;
  std::vector<float> offsets_;
};

}  // namespace zeroshelf
