// Tested by tests/files/npy_test.cc.

#include "lib/files/npy.h"

#include <fmt/format.h>

#include <cassert>
#include <span>
#include <utility>

namespace zeroshelf {
namespace {
constexpr size_t kHeaderBytes = 128;  // a multiple of 64, with room for any number of rows
}

NpyWriter::NpyWriter(std::filesystem::path path, size_t columns)
    : file_(std::move(path)), columns_(columns) {
  file_.write(header());
}

void NpyWriter::append(const Matrix& rows) {
  assert(rows.columns() == columns_ || rows.rows() == 0);
  file_.write(std::as_bytes(std::span(rows.data(), rows.rows() * rows.columns())));
  rows_ += rows.rows();
}

void NpyWriter::finish() {
  file_.rewrite_beginning(header());
  file_.publish();
}

std::string NpyWriter::header() const {
  std::string header("\x93NUMPY\x01\x00", 8);
  const auto size = static_cast<uint16_t>(kHeaderBytes - 10);
  header += static_cast<char>(size & 0xff);
  header += static_cast<char>(size >> 8);
  header += fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows_,
                        columns_);
  header.resize(kHeaderBytes - 1, ' ');
  header += '\n';
  return header;
}

}  // namespace zeroshelf
