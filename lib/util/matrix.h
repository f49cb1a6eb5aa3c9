#pragma once

// A dense row-major matrix of floats: the form in which embeddings travel between the folders.

#include <cstddef>
#include <span>
#include <vector>

namespace zeroshelf {

class Matrix {
 public:
  Matrix() = default;
  Matrix(size_t rows, size_t columns) : rows_(rows), columns_(columns), values_(rows * columns) {}

  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }

  std::span<float> row(size_t i) { return {values_.data() + i * columns_, columns_}; }
  std::span<const float> row(size_t i) const { return {values_.data() + i * columns_, columns_}; }

  float* data() { return values_.data(); }
  const float* data() const { return values_.data(); }

 private:
  size_t rows_ = 0;
  size_t columns_ = 0;
  std::vector<float> values_;
};

// Scales the vector to unit length (Euclidean). A zero vector stays zero.
void normalise(std::span<float> vector);

}  // namespace zeroshelf
