#pragma once

// Dense rows of unit vectors in fp16: a part mapped from a FAISS file, and a tail in memory.
//
// The file is an ordinary FAISS index (IndexScalarQuantizer, QT_fp16, inner product), so any FAISS
// reads it; its codes are plain rows of fp16, so our scan reads them in place without a copy.
//
// Threads: const calls may run together; append needs the object alone.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "lib/util/file.h"
#include "lib/util/fp16.h"

namespace zeroshelf {

using Row = uint64_t;

class VectorRows {
 public:
  // No rows yet. dimension is 1 to 65,536.
  explicit VectorRows(uint32_t dimension);

  // Rows of a FAISS file written by write_faiss_file. Throws NotFound, Io, Corruption (the header
  // and the file's size must fit together) or Incompatible (another dimension or index type).
  static VectorRows map_faiss_file(const std::filesystem::path& path, uint32_t dimension);

  uint32_t dimension() const { return dimension_; }
  uint64_t size() const { return mapped_rows_ + tail_.size() / dimension_; }
  // The size of the mapped file, also when it has lost its name; 0 without one.
  uint64_t file_bytes() const { return file_.bytes().size(); }

  void append(std::span<const uint16_t> row);

  std::span<const uint16_t> row(Row row) const;

  // Consecutive rows that lie together in memory; the rows are the segments one after the other.
  struct Segment {
    const uint16_t* data = nullptr;  // [rows, dimension]
    Row first_row = 0;
    uint64_t rows = 0;
  };
  std::vector<Segment> segments() const;
  // The segments of rows [first_row, first_row + rows).
  std::vector<Segment> segments(Row first_row, uint64_t rows) const;

  // Writes all rows as a FAISS index, atomically: a new file, synced, renamed. Throws Io.
  void write_faiss_file(const std::filesystem::path& path) const;

 private:
  uint32_t dimension_;
  MappedFile file_;
  const uint16_t* mapped_ = nullptr;
  uint64_t mapped_rows_ = 0;
  std::vector<uint16_t> tail_;
};

}  // namespace zeroshelf
