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

// Exact; rounding to nearest, ties to even.
void to_fp16_portable(const float* values, size_t count, uint16_t* out);
void from_fp16_portable(const uint16_t* halves, size_t count, float* out);
void to_fp16_avx2(const float* values, size_t count, uint16_t* out);
void from_fp16_avx2(const uint16_t* halves, size_t count, float* out);

}  // namespace zeroshelf::kernel
