#pragma once

// Inside lib/vectors: the tiles of rows and queries that the kernels share. Vector is the
// instruction set's register of floats:
//   kLanes; zero(); load(const uint16_t*) of halves and load(const float*), both at any alignment;
//   store(float*, v); multiply_add(a, b, sum); totals(v, out): the sums over the lanes of four;
//   kSums: how many sums fit into the registers beside a few operands;
//   kPanelRows x kPanelQueries: the tile for many queries.
// A sum is over the same lanes in the same order in every tile, so that a result does not depend on
// where the tiles lie. Everything here has internal linkage: it is compiled once for each
// instruction set.

#include <cstddef>
#include <cstdint>

namespace zeroshelf::kernel {
namespace {

// Up to kFewQueries are answered in one tile that reads each row once, as halves. For more,
// rows are converted first, kScratchFloats at a time, and every panel of queries stays in the
// first-level cache while it goes over them.
constexpr size_t kFewQueries = 12;
constexpr size_t kScratchFloats = 32 * 1024;
// Halves are prefetched kAhead ahead, since the processor's own reading ahead stops at every page.
constexpr size_t kAhead = 4096;

// The last lanes of a row or query, padded with zeros.
template <class Vector, class Value>
typename Vector::Register load_tail(const Value* from, size_t count) {
  Value values[Vector::kLanes];
  __builtin_memset(values, 0, sizeof values);
  __builtin_memcpy(values, from, count * sizeof(Value));
  return Vector::load(values);
}

// Rows of a tile that follow each other; Row is uint16_t (halves) or float.
template <class Row>
struct Consecutive {
  const Row* first;
  size_t dimension;

  const Row* row(size_t r) const { return first + r * dimension; }
  void fetch_ahead(size_t r, size_t i) const {
    if constexpr (sizeof(Row) == 2) __builtin_prefetch(row(r) + i + kAhead);
  }
};

// Rows that lie anywhere, and those that are asked for meanwhile.
struct Scattered {
  const uint16_t* const* rows;
  const uint16_t* const* later;

  const uint16_t* row(size_t r) const { return rows[r]; }
  void fetch_ahead(size_t r, size_t i) const { __builtin_prefetch(later[r] + i); }
};

template <class Vector, size_t kRows, size_t kQueries, class Rows>
void tile(const Rows& rows, size_t dimension, const float* queries, size_t out_stride, float* out) {
  using Register = typename Vector::Register;
  constexpr size_t kAll = kRows * kQueries;
  Register sums[(kAll + 3) / 4 * 4];
  for (Register& sum : sums) sum = Vector::zero();
  const auto add = [&](const Register(&row)[kRows], const Register& query, size_t q) {
    for (size_t r = 0; r < kRows; ++r) {
      Register& sum = sums[r * kQueries + q];
      sum = Vector::multiply_add(row[r], query, sum);
    }
  };
  const size_t whole = dimension - dimension % Vector::kLanes;
  Register row[kRows];
  for (size_t i = 0; i < whole; i += Vector::kLanes) {
    for (size_t r = 0; r < kRows; ++r) rows.fetch_ahead(r, i);
    for (size_t r = 0; r < kRows; ++r) row[r] = Vector::load(rows.row(r) + i);
    for (size_t q = 0; q < kQueries; ++q) add(row, Vector::load(queries + q * dimension + i), q);
  }
  if (const size_t rest = dimension - whole; rest > 0) {
    for (size_t r = 0; r < kRows; ++r) row[r] = load_tail<Vector>(rows.row(r) + whole, rest);
    for (size_t q = 0; q < kQueries; ++q)
      add(row, load_tail<Vector>(queries + q * dimension + whole, rest), q);
  }
  float totals[(kAll + 3) / 4 * 4];
  for (size_t i = 0; i < kAll; i += 4) Vector::totals(sums + i, totals + i);
  for (size_t r = 0; r < kRows; ++r) {
    __builtin_memcpy(out + r * out_stride, totals + r * kQueries, kQueries * sizeof(float));
  }
}

// All rows against kQueries queries.
template <class Vector, size_t kRows, size_t kQueries, class Row>
void column(const Row* rows, size_t row_count, size_t dimension, const float* queries,
            size_t out_stride, float* out) {
  size_t r = 0;
  for (; r + kRows <= row_count; r += kRows) {
    tile<Vector, kRows, kQueries>(Consecutive<Row>{rows + r * dimension, dimension}, dimension,
                                  queries, out_stride, out + r * out_stride);
  }
  for (; r < row_count; ++r) {
    tile<Vector, 1, kQueries>(Consecutive<Row>{rows + r * dimension, dimension}, dimension, queries,
                              out_stride, out + r * out_stride);
  }
}

// All rows against up to kFewQueries queries, read once.
template <class Vector, size_t kQueries = kFewQueries>
void few_queries(const uint16_t* rows, size_t row_count, size_t dimension, const float* queries,
                 size_t query_count, size_t out_stride, float* out) {
  if constexpr (kQueries > 0) {
    if (query_count < kQueries) {
      return few_queries<Vector, kQueries - 1>(rows, row_count, dimension, queries, query_count,
                                               out_stride, out);
    }
    // With few queries, one row after another is the stream that the processor reads ahead best;
    // with more, the multiplications are what counts.
    constexpr size_t kFitting = Vector::kSums / kQueries;
    constexpr size_t kRows = kQueries <= 8 || kFitting < 1 ? 1 : kFitting;
    column<Vector, kRows, kQueries>(rows, row_count, dimension, queries, out_stride, out);
  }
}

template <class Vector>
void convert(const uint16_t* halves, size_t count, float* out) {
  size_t i = 0;
  for (; i + Vector::kLanes <= count; i += Vector::kLanes)
    Vector::store(out + i, Vector::load(halves + i));
  if (i == count) return;
  float last[Vector::kLanes];
  Vector::store(last, load_tail<Vector>(halves + i, count - i));
  __builtin_memcpy(out + i, last, (count - i) * sizeof(float));
}

template <class Vector>
void many_queries(const uint16_t* rows, size_t row_count, size_t dimension, const float* queries,
                  size_t query_count, float* out) {
  constexpr size_t kPanel = Vector::kPanelQueries;
  alignas(64) float scratch[kScratchFloats];
  const size_t at_once = kScratchFloats / dimension;
  for (size_t first = 0; first < row_count; first += at_once) {
    const size_t count = row_count - first < at_once ? row_count - first : at_once;
    convert<Vector>(rows + first * dimension, count * dimension, scratch);
    float* const part = out + first * query_count;
    size_t q = 0;
    for (; q + kPanel <= query_count; q += kPanel) {
      column<Vector, Vector::kPanelRows, kPanel>(scratch, count, dimension, queries + q * dimension,
                                                 query_count, part + q);
    }
    for (; q < query_count; ++q) {
      column<Vector, Vector::kPanelRows, 1>(scratch, count, dimension, queries + q * dimension,
                                            query_count, part + q);
    }
  }
}

template <class Vector>
void all_tiles(const uint16_t* rows, size_t row_count, size_t dimension, const float* queries,
               size_t query_count, float* out) {
  if (query_count > kFewQueries && dimension <= kScratchFloats / Vector::kPanelRows) {
    return many_queries<Vector>(rows, row_count, dimension, queries, query_count, out);
  }
  for (size_t q = 0; q < query_count; q += kFewQueries) {
    const size_t count = query_count - q < kFewQueries ? query_count - q : kFewQueries;
    few_queries<Vector>(rows, row_count, dimension, queries + q * dimension, count, query_count,
                        out + q);
  }
}

// Rows that lie anywhere, against one query. While one is multiplied, that kLater behind it is
// asked for.
template <class Vector>
void scattered_rows(const uint16_t* const* rows, size_t row_count, size_t dimension,
                    const float* query, float* out) {
  constexpr size_t kRows = 4;
  constexpr size_t kLater = 16;
  constexpr size_t kCacheLine = 32;  // halves
  for (size_t r = 0; r < row_count && r < kLater; ++r) {
    for (size_t i = 0; i < dimension; i += kCacheLine) __builtin_prefetch(rows[r] + i);
  }
  size_t r = 0;
  for (; r + kLater + kRows <= row_count; r += kRows)
    tile<Vector, kRows, 1>(Scattered{rows + r, rows + r + kLater}, dimension, query, 1, out + r);
  for (; r < row_count; ++r) {
    const size_t later = r + kLater < row_count ? r + kLater : r;
    tile<Vector, 1, 1>(Scattered{rows + r, rows + later}, dimension, query, 1, out + r);
  }
}

}  // namespace
}  // namespace zeroshelf::kernel
