#pragma once

// Inside lib/vectors: the tile of rows and queries that the kernels share. Vector is the
// instruction set's register of floats:
//   kLanes; zero(); load(const float*); load_halves(const uint16_t*), both at any alignment;
//   multiply_add(a, b, sum); total(v).
// Everything here has internal linkage: it is compiled once for each instruction set.

#include <cstddef>
#include <cstdint>

namespace zeroshelf::kernel {
namespace {

// Rows and queries of a tile: 4 x 4 sums, 4 rows and a query fill the registers of AVX-512, and
// reuse every loaded value four times.
constexpr size_t kTile = 4;

// The last lanes of a row or query, padded with zeros.
template <class Vector, class Value>
struct Tail {
  Tail(const Value* from, size_t count) {
    for (size_t i = 0; i < Vector::kLanes; ++i) __builtin_memset(&values[i], 0, sizeof(Value));
    __builtin_memcpy(values, from, count * sizeof(Value));
  }
  Value values[Vector::kLanes];
};

template <class Vector, size_t kRows, size_t kQueries>
void tile(const uint16_t* rows, size_t dimension, const float* queries, size_t out_stride,
          float* out) {
  typename Vector::Register sums[kRows][kQueries];
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t q = 0; q < kQueries; ++q) sums[r][q] = Vector::zero();
  }
  const size_t whole = dimension - dimension % Vector::kLanes;
  for (size_t i = 0; i < whole; i += Vector::kLanes) {
    typename Vector::Register row[kRows];
    for (size_t r = 0; r < kRows; ++r) row[r] = Vector::load_halves(rows + r * dimension + i);
    for (size_t q = 0; q < kQueries; ++q) {
      const auto query = Vector::load(queries + q * dimension + i);
      for (size_t r = 0; r < kRows; ++r)
        sums[r][q] = Vector::multiply_add(row[r], query, sums[r][q]);
    }
  }
  if (whole < dimension) {
    typename Vector::Register row[kRows];
    for (size_t r = 0; r < kRows; ++r) {
      const Tail<Vector, uint16_t> tail(rows + r * dimension + whole, dimension - whole);
      row[r] = Vector::load_halves(tail.values);
    }
    for (size_t q = 0; q < kQueries; ++q) {
      const Tail<Vector, float> tail(queries + q * dimension + whole, dimension - whole);
      const auto query = Vector::load(tail.values);
      for (size_t r = 0; r < kRows; ++r)
        sums[r][q] = Vector::multiply_add(row[r], query, sums[r][q]);
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t q = 0; q < kQueries; ++q) out[r * out_stride + q] = Vector::total(sums[r][q]);
  }
}

template <class Vector, size_t kRows>
void strip(const uint16_t* rows, size_t dimension, const float* queries, size_t query_count,
           float* out) {
  size_t q = 0;
  for (; q + kTile <= query_count; q += kTile) {
    tile<Vector, kRows, kTile>(rows, dimension, queries + q * dimension, query_count, out + q);
  }
  for (; q < query_count; ++q) {
    tile<Vector, kRows, 1>(rows, dimension, queries + q * dimension, query_count, out + q);
  }
}

template <class Vector>
void all_tiles(const uint16_t* rows, size_t row_count, size_t dimension, const float* queries,
               size_t query_count, float* out) {
  size_t r = 0;
  for (; r + kTile <= row_count; r += kTile) {
    strip<Vector, kTile>(rows + r * dimension, dimension, queries, query_count,
                         out + r * query_count);
  }
  for (; r < row_count; ++r) {
    strip<Vector, 1>(rows + r * dimension, dimension, queries, query_count, out + r * query_count);
  }
}

}  // namespace
}  // namespace zeroshelf::kernel
