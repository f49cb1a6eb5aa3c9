#pragma once

// Texts, vectors, matrices and plain structs in small binary records (bytes.h).

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "lib/util/bytes.h"
#include "lib/util/matrix.h"

namespace zeroshelf {

inline void write_texts(ByteWriter& out, const std::vector<std::string>& texts) {
  out.varint(texts.size());
  for (const std::string& text : texts) out.text(text);
}

inline std::vector<std::string> read_texts(ByteReader& in) {
  std::vector<std::string> texts;
  for (uint64_t left = in.varint_at_most(in.left()); left > 0; --left)
    texts.emplace_back(in.text());
  return texts;
}

// As it lies in memory: for another process of the same program.
template <class Plain>
void write_plain(ByteWriter& out, const Plain& value) {
  static_assert(std::is_trivially_copyable_v<Plain>);
  out.raw(std::as_bytes(std::span(&value, 1)));
}

template <class Plain>
Plain read_plain(ByteReader& in) {
  static_assert(std::is_trivially_copyable_v<Plain>);
  Plain value;
  std::memcpy(&value, in.take(sizeof value).data(), sizeof value);
  return value;
}

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
  if (columns == 0 && rows > 0) in.fail("a matrix has rows of nothing");
  if (rows > 0 && rows > in.left() / sizeof(float) / columns) in.fail("a matrix is cut short");
  Matrix matrix(rows, columns);
  const std::string_view bytes = in.take(rows * columns * sizeof(float));
  if (!bytes.empty()) std::memcpy(matrix.data(), bytes.data(), bytes.size());
  return matrix;
}

}  // namespace zeroshelf
