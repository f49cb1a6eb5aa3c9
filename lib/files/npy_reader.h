#pragma once

// Reading NumPy's array files, versions 1 to 3
// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): what others wrote, so
// every byte of the header is checked before it is believed.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "lib/util/file.h"
#include "lib/util/matrix.h"

namespace zeroshelf {

// A two-dimensional array of float32 or float16, little endian, in C order, mapped from its file
// (read into memory from a pipe or "-", standard input).
// Threads: const calls may run together.
class NpyReader {
 public:
  // Throws NotFound, Io, Corruption (no such file, cut short, or a header that makes no sense), or
  // Incompatible (another type, order or number of dimensions), naming what was found.
  explicit NpyReader(const std::filesystem::path& path);

  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }
  const std::filesystem::path& path() const { return path_; }

  // row < rows(); out has columns() values, which may be anything that floats can be.
  void read_row(size_t row, std::span<float> out) const;

  // All of it.
  Matrix matrix() const;

 private:
  void read_header();

  std::filesystem::path path_;
  std::span<const std::byte> bytes() const {
    return memory_.empty() ? file_.bytes() : std::as_bytes(std::span(memory_));
  }

  MappedFile file_;
  std::string memory_;  // of what is no file
  size_t rows_ = 0;
  size_t columns_ = 0;
  size_t value_bytes_ = 4;
  size_t data_offset_ = 0;
};

}  // namespace zeroshelf
