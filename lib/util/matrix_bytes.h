#pragma once

// Vectors and matrices in small binary records (bytes.h).

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "lib/util/bytes.h"
#include "lib/util/matrix.h"

namespace zeroshelf {

inline void write_floats(ByteWriter& out, std::span<const float> values) {
  out.varint(values.size());
  out.raw(std::as_bytes(values));
}

inline std::vector<float> read_floats(ByteReader& in) {
  std::vector<float> values(in.varint_at_most(in.left() / sizeof(float)));
  const std::string_view bytes = in.take(values.size() * sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

inline void write_matrix(ByteWriter& out, const Matrix& matrix) {
  out.varint(matrix.rows());
  out.varint(matrix.columns());
  for (size_t i = 0; i < matrix.rows(); ++i) out.raw(std::as_bytes(matrix.row(i)));
}

inline Matrix read_matrix(ByteReader& in) {
  const uint64_t rows = in.varint();
  const uint64_t columns = in.varint();
  if (columns > in.left() / sizeof(float) ||
      (columns > 0 && rows > in.left() / sizeof(float) / columns))
    in.fail("a matrix is cut short");
  if (columns == 0 && rows > 0) in.fail("a matrix has rows of nothing");
  Matrix matrix(rows, columns);
  const std::string_view bytes = in.take(rows * columns * sizeof(float));
  if (!bytes.empty()) std::memcpy(matrix.data(), bytes.data(), bytes.size());
  return matrix;
}

}  // namespace zeroshelf
