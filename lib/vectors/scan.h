#pragma once

// One streaming pass over rows: inner products of every row with every query, block by block while
// the block is in cache. Nothing of size rows x queries is ever stored.
//
// The kernel is chosen at run time (AVX-512, AVX2 with FMA and F16C, or portable); all give the
// inner product of the fp16 row and the float query within 2e-6 * sqrt(dimension) of exact
// arithmetic for unit vectors. Which thread does which block changes no result.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "lib/util/matrix.h"
#include "lib/vectors/vector_rows.h"

namespace zeroshelf {

// Inner products of rows [first_row, first_row + rows) with all queries, row-major [rows, queries].
// out has rows * queries floats.
void inner_products(const VectorRows& vectors, Row first_row, size_t rows, const Matrix& queries,
                    std::span<float> out);

// The same, to the bit, for rows that lie anywhere, and one query; out has one float a row. Many at
// once hide the way to memory behind each other.
void inner_products_of(const VectorRows& vectors, std::span<const Row> rows,
                       std::span<const float> query, std::span<float> out);
// Each row by its fp16 values, as many as the query has floats.
void inner_products_of(std::span<const uint16_t* const> rows, std::span<const float> query,
                       std::span<float> out);

// "avx512", "avx2" or "portable": what inner_products uses on this machine.
std::string_view scan_kernel_name();

struct ScoredRow {
  Row row = 0;
  float score = 0;
};

// The k rows of the highest inner product with the query, best first; equal scores in row order.
// Rows for which keep returns false are passed over. threads = 0 uses every core.
std::vector<ScoredRow> top_rows(const VectorRows& vectors, std::span<const float> query, size_t k,
                                const std::function<bool(Row)>& keep, unsigned threads = 0);

}  // namespace zeroshelf
