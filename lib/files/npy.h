#pragma once

// NumPy's array file format, version 1.0
// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "lib/files/new_file.h"
#include "lib/util/matrix.h"

namespace zeroshelf {

// Writes float32 rows as they come. The file must be new; it appears in finish(), complete; without
// that nothing is left behind. Throws what NewFile does.
class NpyWriter {
 public:
  NpyWriter(std::filesystem::path path, size_t columns);

  void append(const Matrix& rows);  // of the given number of columns
  void finish();

 private:
  std::string header() const;

  NewFile file_;
  uint64_t rows_ = 0;
  size_t columns_;
};

}  // namespace zeroshelf
