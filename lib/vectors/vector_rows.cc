// Rows of fp16 vectors and their FAISS file; the only place that names FAISS. Tested by
// tests/vectors/vector_rows_test.cc.

#include "lib/vectors/vector_rows.h"

#include <faiss/IndexScalarQuantizer.h>
#include <faiss/impl/io.h>
#include <faiss/index_io.h>
#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <string>

#include "lib/files/new_file.h"
#include "lib/util/error.h"

namespace zeroshelf {
namespace {

// What FAISS writes before the codes. Its own writer makes it for an empty index; the two counts in
// it (rows behind the type and the dimension, bytes of codes at the end) are then put in. Comparing
// a file's beginning with it checks every field at once.
std::string faiss_header(uint32_t dimension, uint64_t rows) {
  constexpr size_t kRowsOffset = 8;
  const faiss::IndexScalarQuantizer index(
      static_cast<int>(dimension), faiss::ScalarQuantizer::QT_fp16, faiss::METRIC_INNER_PRODUCT);
  faiss::VectorIOWriter writer;
  faiss::write_index(&index, &writer);
  std::string header(writer.data.begin(), writer.data.end());
  const uint64_t code_bytes = rows * dimension * sizeof(uint16_t);
  std::memcpy(header.data() + kRowsOffset, &rows, sizeof rows);
  std::memcpy(header.data() + header.size() - sizeof code_bytes, &code_bytes, sizeof code_bytes);
  return header;
}

}  // namespace

VectorRows::VectorRows(uint32_t dimension) : dimension_(dimension) {
  assert(dimension >= 1 && dimension <= 65'536);
}

VectorRows VectorRows::map_faiss_file(const std::filesystem::path& path, uint32_t dimension) {
  VectorRows rows(dimension);
  rows.file_ = MappedFile(path);
  const std::span<const std::byte> bytes = rows.file_.bytes();
  const size_t row_bytes = dimension * sizeof(uint16_t);
  const size_t header_bytes = faiss_header(dimension, 0).size();
  if (bytes.size() < header_bytes || (bytes.size() - header_bytes) % row_bytes != 0) {
    throw Error(ErrorCode::Corruption, path.string(),
                fmt::format("its {} bytes are no whole number of vectors of {} dimensions",
                            bytes.size(), dimension));
  }
  rows.mapped_rows_ = (bytes.size() - header_bytes) / row_bytes;
  if (std::memcmp(bytes.data(), faiss_header(dimension, rows.mapped_rows_).data(), header_bytes) !=
      0) {
    throw Error(
        ErrorCode::Corruption, path.string(),
        fmt::format("its header is not that of a FAISS fp16 index of {} vectors of {} dimensions",
                    rows.mapped_rows_, dimension));
  }
  rows.mapped_ = reinterpret_cast<const uint16_t*>(bytes.data() + header_bytes);
  return rows;
}

void VectorRows::append(std::span<const uint16_t> row) {
  assert(row.size() == dimension_);
  tail_.insert(tail_.end(), row.begin(), row.end());
}

std::span<const uint16_t> VectorRows::row(Row row) const {
  assert(row < size());
  const uint16_t* data = row < mapped_rows_ ? mapped_ + row * dimension_
                                            : tail_.data() + (row - mapped_rows_) * dimension_;
  return {data, dimension_};
}

std::vector<VectorRows::Segment> VectorRows::segments() const {
  return segments(0, size());
}

std::vector<VectorRows::Segment> VectorRows::segments(Row first_row, uint64_t rows) const {
  assert(first_row + rows <= size());
  const Row end = first_row + rows;
  const Row border = std::clamp<Row>(mapped_rows_, first_row, end);
  std::vector<Segment> segments;
  if (first_row < border)
    segments.push_back({mapped_ + first_row * dimension_, first_row, border - first_row});
  if (border < end)
    segments.push_back({tail_.data() + (border - mapped_rows_) * dimension_, border, end - border});
  return segments;
}

void VectorRows::write_faiss_file(const std::filesystem::path& path) const {
  NewFile file(path, Existing::Replace);
  const std::string header = faiss_header(dimension_, size());
  file.write(std::as_bytes(std::span(header)));
  for (const Segment& segment : segments())
    file.write(std::as_bytes(std::span(segment.data, segment.rows * dimension_)));
  file.publish();
}

}  // namespace zeroshelf
