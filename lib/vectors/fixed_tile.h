#pragma once

// Inside lib/vectors: the tiles of rows and queries in 16-bit fixed point that the kernels share.
// Vector is the instruction set's register of kValues 16-bit integers, or of half as many 32-bit
// sums:
//   zero(); load(const int16_t*) at any alignment; store(int16_t*, v);
//   fixed(const uint16_t*): halves of (-1, 1) as multiples of 2^-15, rounded to nearest, ties to
//   even; those of the register's second half lie between those of its first (see kernel.h);
//   watch(seen, const uint16_t*): what any_beyond(seen) needs to tell whether a half was not in
//   (-1, 1); add_products(sum, a, b): adds a[2i] b[2i] + a[2i+1] b[2i+1] to sum i;
//   totals(v, out): the sums over the lanes of four;
//   kSums: how many sums fit into the registers beside a few operands.
// Sums of integers are exact, so that no result depends on tiles or instruction sets. Everything
// here has internal linkage: it is compiled once for each instruction set.

#include <cstddef>
#include <cstdint>

#include "lib/util/unrolled.h"
#include "lib/vectors/kernel.h"

namespace zeroshelf::kernel {
namespace {

// A panel of queries is answered in one tile that reads each row once, as halves. For more queries,
// rows are converted first, kScratchValues at a time, and every panel stays in the first-level
// cache while it goes over them.
constexpr size_t kScratchValues = 32 * 1024;
// Halves are prefetched kAhead ahead, since the processor's own reading ahead stops at every page;
// into the second-level cache, which can wait for more of them at once than the first.
constexpr size_t kAhead = 4096;
constexpr int kSecondLevel = 2;

// Rows as halves. Says in the end whether a value was beyond the range of fixed point.
template <class Vector>
class Halves {
 public:
  using Register = typename Vector::Register;
  explicit Halves(size_t dimension) : dimension_(dimension), seen_(Vector::zero()) {}

  size_t stride() const { return dimension_; }
  // As many values as fill registers; one more register holds the others.
  size_t whole() const { return dimension_ / Vector::kValues * Vector::kValues; }
  Register load(const uint16_t* at) {
    __builtin_prefetch(at + kAhead, 0, kSecondLevel);
    seen_ = Vector::watch(seen_, at);
    return Vector::fixed(at);
  }
  Register load_last(const uint16_t* at) {
    uint16_t values[Vector::kValues] = {};
    __builtin_memcpy(values, at, (dimension_ - whole()) * sizeof *at);
    seen_ = Vector::watch(seen_, values);
    return Vector::fixed(values);
  }
  bool any_beyond() const { return Vector::any_beyond(seen_); }

 private:
  size_t dimension_;
  Register seen_;
};

// Rows that have been converted, each padded with zeros to whole registers.
template <class Vector>
class Converted {
 public:
  using Register = typename Vector::Register;
  explicit Converted(size_t stride) : stride_(stride) {}
  size_t stride() const { return stride_; }
  size_t whole() const { return stride_; }
  Register load(const int16_t* at) { return Vector::load(at); }
  Register load_last(const int16_t* at) { return Vector::load(at); }

 private:
  size_t stride_;
};

template <class Vector, size_t kRows, size_t kQueries, class Rows, class Value>
void tile(Rows& all_rows, const Value* rows, const FixedQueries& queries, size_t first_query,
          float* out) {
  using Register = typename Vector::Register;
  constexpr size_t kAll = (kRows * kQueries + 3) / 4 * 4;
  Rows source = all_rows;  // in registers
  Register sums[kAll];
  unrolled<kAll>([&](auto i) [[gnu::always_inline]] { sums[i] = Vector::zero(); });
  const int16_t* query = queries.values + first_query * queries.stride;
  const auto add = [&](const Register(&row)[kRows]) [[gnu::always_inline]] {
    unrolled<kQueries>([&](auto q) [[gnu::always_inline]] {
      const Register values = Vector::load(query + q * Vector::kValues);
      unrolled<kRows>([&](auto r) [[gnu::always_inline]] {
        constexpr size_t kAt = decltype(r)::kIs * kQueries + decltype(q)::kIs;
        sums[kAt] = Vector::add_products(sums[kAt], row[r], values);
      });
    });
    query += kQueries * Vector::kValues;
  };
  const size_t whole = source.whole();
  Register row[kRows];
  for (size_t i = 0; i < whole; i += Vector::kValues) {
    unrolled<kRows>([&](auto r) [[gnu::always_inline]] {
      row[r] = source.load(rows + r * source.stride() + i);
    });
    add(row);
  }
  if (whole < queries.stride) {
    unrolled<kRows>([&](auto r) [[gnu::always_inline]] {
      row[r] = source.load_last(rows + r * source.stride() + whole);
    });
    add(row);
  }
  all_rows = source;
  int32_t totals[kAll];
  unrolled<kAll / 4>([&](auto i)
                         [[gnu::always_inline]] { Vector::totals(sums + 4 * i, totals + 4 * i); });
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t q = 0; q < kQueries; ++q)
      out[r * queries.count + q] =
          static_cast<float>(totals[r * kQueries + q]) * queries.units[first_query + q] +
          queries.offsets[first_query + q];
  }
}

// All rows against kQueries queries, or as many of them as there are from first_query on.
template <class Vector, size_t kMostRows, size_t kQueries = kPanelQueries, class Rows, class Value>
void panel(Rows& source, const Value* rows, size_t row_count, const FixedQueries& queries,
           size_t first_query, float* out) {
  if constexpr (kQueries > 1) {
    if (queries.count - first_query < kQueries)
      return panel<Vector, kMostRows, kQueries - 1>(source, rows, row_count, queries, first_query,
                                                    out);
  }
  constexpr size_t kFitting = Vector::kSums / kQueries;
  constexpr size_t kRows = kFitting < 1 ? 1 : kFitting < kMostRows ? kFitting : kMostRows;
  out += first_query;
  size_t r = 0;
  for (; r + kRows <= row_count; r += kRows) {
    tile<Vector, kRows, kQueries>(source, rows + r * source.stride(), queries, first_query,
                                  out + r * queries.count);
  }
  for (; r < row_count; ++r) {
    tile<Vector, 1, kQueries>(source, rows + r * source.stride(), queries, first_query,
                              out + r * queries.count);
  }
}

template <class Vector>
bool many_queries(const uint16_t* rows, size_t row_count, size_t dimension,
                  const FixedQueries& queries, float* out) {
  alignas(64) int16_t scratch[kScratchValues];
  const size_t stride = queries.stride;
  Halves<Vector> halves(dimension);
  Converted<Vector> converted(stride);
  const size_t whole = halves.whole();
  const size_t at_once = kScratchValues / stride;
  for (size_t first = 0; first < row_count; first += at_once) {
    const size_t count = row_count - first < at_once ? row_count - first : at_once;
    for (size_t r = 0; r < count; ++r) {
      const uint16_t* const from = rows + (first + r) * dimension;
      int16_t* const to = scratch + r * stride;
      for (size_t i = 0; i < whole; i += Vector::kValues)
        Vector::store(to + i, halves.load(from + i));
      if (whole < stride) Vector::store(to + whole, halves.load_last(from + whole));
    }
    for (size_t q = 0; q < queries.count; q += kPanelQueries)
      panel<Vector, 2>(converted, scratch, count, queries, q, out + first * queries.count);
  }
  return halves.any_beyond();
}

// Rows that do not fit into the scratch, too.
template <class Vector>
bool few_queries(const uint16_t* rows, size_t row_count, size_t dimension,
                 const FixedQueries& queries, float* out) {
  Halves<Vector> halves(dimension);
  for (size_t q = 0; q < queries.count; q += kPanelQueries)
    panel<Vector, 2>(halves, rows, row_count, queries, q, out);
  return halves.any_beyond();
}

template <class Vector>
bool fixed_products(const uint16_t* rows, size_t row_count, size_t dimension,
                    const FixedQueries& queries, float* out) {
  return queries.count <= kPanelQueries || 2 * queries.stride > kScratchValues
             ? few_queries<Vector>(rows, row_count, dimension, queries, out)
             : many_queries<Vector>(rows, row_count, dimension, queries, out);
}

}  // namespace
}  // namespace zeroshelf::kernel
