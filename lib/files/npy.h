#pragma once

// NumPy's array file format, version 1.0
// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>

#include "lib/util/matrix.h"

namespace zeroshelf {

// Writes float32 rows as they come. The file appears under its name in finish(), complete; without
// that nothing is left behind. An existing file is replaced.
class NpyWriter {
 public:
  // Throws Io.
  NpyWriter(std::filesystem::path path, size_t columns);
  ~NpyWriter();
  NpyWriter(const NpyWriter&) = delete;
  NpyWriter& operator=(const NpyWriter&) = delete;

  void append(const Matrix& rows);  // of the given number of columns
  void finish();

 private:
  [[noreturn]] void fail() const;
  void write_header();

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  std::FILE* file_ = nullptr;
  uint64_t rows_ = 0;
  size_t columns_;
};

}  // namespace zeroshelf
