#pragma once

// Inside lib/vectors: rows times queries in 16-bit fixed point on a unit that multiplies matrices
// of bytes. A number is 256 times its upper byte, with sign, and its lower byte, without, so that
// the product of two is four products of bytes. The sums are exact in 32 bits, so the result is
// that of fixed_tile.h to the bit.
//
// Vector is an instruction set's register, as in fixed_tile.h. Unit has four tiles of 16 x 16 sums,
// one for each pair of halves of a row's and a query's number, in the order upper upper, upper
// lower, lower upper, lower lower:
//   begin(), end(): around all use in a thread;
//   clear(): all sums 0;
//   add(rows, queries): adds the products of two tiles of rows, that of their upper bytes and that
//   of their lower, with two of queries (kernel.h). A tile of rows is 16 rows of 64 bytes;
//   store(sums): uint32_t [4][16][16], a row's sums beside each other.
// Everything here has internal linkage.

#include <cstddef>
#include <cstdint>

#include "lib/vectors/kernel.h"

namespace zeroshelf::kernel {
namespace {

constexpr size_t kTileRows = 16;
// Rows are converted kRowBytes at a time, which stay in the second-level cache while all
// queries go over them.
constexpr size_t kRowBytes = 2 * kTileRows * kMostTiledValues;
constexpr size_t kSums = kTileRows * kTileQueries;

// Halves as fixed point, their bytes apart.
template <class Vector>
typename Vector::Register split(typename Vector::Register seen, const uint16_t* halves,
                                uint8_t* upper, uint8_t* lower) {
  int16_t values[kTileValues];
  for (size_t i = 0; i < kTileValues; i += Vector::kValues) {
    seen = Vector::watch(seen, halves + i);
    Vector::store(values + i, Vector::fixed(halves + i));
  }
  for (size_t i = 0; i < kTileValues; ++i) {
    upper[i] = static_cast<uint8_t>(values[i] >> 8);
    lower[i] = static_cast<uint8_t>(values[i]);
  }
  return seen;
}

// A row into its places in the tiles of its group, which lie in the order of their values.
template <class Vector>
typename Vector::Register split_row(typename Vector::Register seen, const uint16_t* row,
                                    size_t dimension, uint8_t* place) {
  constexpr size_t kAhead = 4096;  // see fixed_tile.h
  constexpr size_t kHalvesALine = 32;
  size_t i = 0;
  for (; i + kTileValues <= dimension; i += kTileValues, place += 2 * kTileBytes) {
    for (size_t line = 0; line < kTileValues; line += kHalvesALine)
      __builtin_prefetch(row + i + line + kAhead, 0, 2);
    seen = split<Vector>(seen, row + i, place, place + kTileBytes);
  }
  if (i == dimension) return seen;
  uint16_t last[kTileValues] = {};
  __builtin_memcpy(last, row + i, (dimension - i) * sizeof *row);
  return split<Vector>(seen, last, place, place + kTileBytes);
}

// The sums of a group of rows with kTileQueries queries, or as many as there are.
inline void write_products(const uint32_t* sums, size_t rows, const float* units,
                           const float* offsets, size_t queries, size_t stride, float* out) {
  const auto product = [&](size_t at, size_t q) {
    const uint32_t middle = sums[kSums + at] + sums[2 * kSums + at];
    const uint32_t total = (sums[at] << 16) + (middle << 8) + sums[3 * kSums + at];
    return static_cast<float>(static_cast<int32_t>(total)) * units[q] + offsets[q];
  };
  for (size_t r = 0; r < rows; ++r, out += stride) {
    if (queries >= kTileQueries) {
      for (size_t q = 0; q < kTileQueries; ++q) out[q] = product(r * kTileQueries + q, q);
    } else {
      for (size_t q = 0; q < queries; ++q) out[q] = product(r * kTileQueries + q, q);
    }
  }
}

template <class Vector, class Unit>
bool matrix_products(const uint16_t* rows, size_t row_count, size_t dimension,
                     const FixedQueries& queries, float* out) {
  alignas(64) uint8_t tiles[kRowBytes];
  alignas(64) uint32_t sums[4 * kSums];
  const size_t depth = queries.stride / kTileValues;
  const size_t group_bytes = depth * 2 * kTileBytes;
  const size_t at_once = kRowBytes / group_bytes * kTileRows;
  typename Vector::Register seen = Vector::zero();
  Unit::begin();
  for (size_t first = 0; first < row_count; first += at_once) {
    const size_t count = row_count - first < at_once ? row_count - first : at_once;
    const size_t groups = (count + kTileRows - 1) / kTileRows;
    if (count % kTileRows != 0)
      __builtin_memset(tiles + (groups - 1) * group_bytes, 0, group_bytes);
    for (size_t r = 0; r < count; ++r)
      seen = split_row<Vector>(seen, rows + (first + r) * dimension, dimension,
                               tiles + r / kTileRows * group_bytes + r % kTileRows * kTileValues);
    for (size_t q = 0; q < queries.count; q += kTileQueries) {
      const uint8_t* const panel = queries.tiles + q / kTileQueries * group_bytes;
      for (size_t g = 0; g < groups; ++g) {
        const uint8_t* const group = tiles + g * group_bytes;
        Unit::clear();
        for (size_t at = 0; at < group_bytes; at += 2 * kTileBytes)
          Unit::add(group + at, panel + at);
        Unit::store(sums);
        const size_t row = g * kTileRows;
        write_products(sums, count - row < kTileRows ? count - row : kTileRows, queries.units + q,
                       queries.offsets + q, queries.count - q, queries.count,
                       out + (first + row) * queries.count + q);
      }
    }
  }
  Unit::end();
  return Vector::any_beyond(seen);
}

}  // namespace
}  // namespace zeroshelf::kernel
