#pragma once

// Inside lib/vectors: the inner loops, one set for each instruction set.

#include <cstddef>
#include <cstdint>

namespace zeroshelf::kernel {

// out[r * queries + q] = inner product of row r and query q. rows: fp16 [row_count, dimension] at
// any alignment; queries: float [query_count, dimension].
using InnerProducts = void (*)(const uint16_t* rows, size_t row_count, size_t dimension,
                               const float* queries, size_t query_count, float* out);

void inner_products_portable(const uint16_t* rows, size_t row_count, size_t dimension,
                             const float* queries, size_t query_count, float* out);
void inner_products_avx2(const uint16_t* rows, size_t row_count, size_t dimension,
                         const float* queries, size_t query_count, float* out);
void inner_products_avx512(const uint16_t* rows, size_t row_count, size_t dimension,
                           const float* queries, size_t query_count, float* out);

// The best of them on this processor.
InnerProducts chosen_inner_products();

// The same results for rows that lie anywhere and one query: out[r] is that of rows[r].
using ScatteredProducts = void (*)(const uint16_t* const* rows, size_t row_count, size_t dimension,
                                   const float* query, float* out);

void scattered_products_portable(const uint16_t* const* rows, size_t row_count, size_t dimension,
                                 const float* query, float* out);
void scattered_products_avx2(const uint16_t* const* rows, size_t row_count, size_t dimension,
                             const float* query, float* out);
void scattered_products_avx512(const uint16_t* const* rows, size_t row_count, size_t dimension,
                               const float* query, float* out);

// Queries in 16-bit fixed point, for rows that are rounded to multiples of 2^-15 while they are
// read. In panels of kPanelQueries, the last with what is left: the first register of each query of
// the panel, the second of each, ... A register holds `values` of them: its second half lies
// between its first, so that packed value 2i is value i and 2i + 1 is value i + values / 2. Zeros
// fill up the last.
inline constexpr size_t kPanelQueries = 12;
// A matrix unit takes them in tiles instead, their bytes apart. For every kTileQueries queries, for
// every kTileValues of their values in the order above: a tile of the upper bytes, with signs, and
// one of the lower, without. Row i of a tile holds values 4i to 4i + 3 of each query in turn. Zeros
// fill up the last values and the last queries.
inline constexpr size_t kTileQueries = 16;
inline constexpr size_t kTileValues = 64;
inline constexpr size_t kTileBytes = kTileQueries * kTileValues;
struct FixedQueries {
  const int16_t* values = nullptr;  // count * stride; a panel begins at its first query * stride
  const uint8_t* tiles = nullptr;   // of a kernel for a matrix unit, instead of values
  size_t stride = 0;                // the dimension, rounded up to whole registers or tiles
  const float* units = nullptr;     // what 1 in the sum for a query is worth; one a query
  const float* offsets = nullptr;   // what is added to the product; one a query
  size_t count = 0;
};

// As InnerProducts, within what fixed_point.h says; each sum is exact in 32 bits. True when a value
// of a row was not within (-1, 1), a NaN for instance: then its row's results mean nothing.
using FixedProducts = bool (*)(const uint16_t* rows, size_t row_count, size_t dimension,
                               const FixedQueries& queries, float* out);

bool fixed_products_portable(const uint16_t* rows, size_t row_count, size_t dimension,
                             const FixedQueries& queries, float* out);
bool fixed_products_avx2(const uint16_t* rows, size_t row_count, size_t dimension,
                         const FixedQueries& queries, float* out);
bool fixed_products_avx512(const uint16_t* rows, size_t row_count, size_t dimension,
                           const FixedQueries& queries, float* out);
// With queries in tiles; strides of up to kMostTiledValues. The processor grants its tiles to
// processes that ask for them: has_matrix_tiles() of lib/util/cpu.h.
inline constexpr size_t kMostTiledValues = 4096;
bool fixed_products_amx(const uint16_t* rows, size_t row_count, size_t dimension,
                        const FixedQueries& queries, float* out);

// x + kToFixedPoint, for x in (-1, 1), has x in multiples of 2^-15 as its low 16 bits.
inline constexpr float kToFixedPoint = 0x1.8p8f;
// The half 1.0, shifted by one bit.
inline constexpr int16_t kOneWithoutSign = 0x7800;

// kCodeBlock codes of 4 bits a group are summed at once: sums[32 b + i], modulo 2^16, over the
// groups g of tables[16 g + code], with the code of vector i of block b in byte i % 16 of codes[16
// (b groups + g)], in its lower half for i below 16. The number of groups is even.
inline constexpr size_t kCodeBlock = 32;
using CodeSums = void (*)(const uint8_t* codes, size_t blocks, size_t groups, const uint8_t* tables,
                          uint16_t* sums);
void code_sums_portable(const uint8_t* codes, size_t blocks, size_t groups, const uint8_t* tables,
                        uint16_t* sums);
void code_sums_avx2(const uint8_t* codes, size_t blocks, size_t groups, const uint8_t* tables,
                    uint16_t* sums);
CodeSums chosen_code_sums();

}  // namespace zeroshelf::kernel
