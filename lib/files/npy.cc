// Tested by tests/output/formats_test.cc.

#include "lib/files/npy.h"

#include <fmt/format.h>

#include <cassert>
#include <cerrno>
#include <system_error>
#include <utility>

#include "lib/util/error.h"

namespace zeroshelf {
namespace {
constexpr size_t kHeaderBytes = 128;  // a multiple of 64, with room for any number of rows
}

NpyWriter::NpyWriter(std::filesystem::path path, size_t columns)
    : path_(std::move(path)), columns_(columns) {
  // Never one that is there: it may be somebody's, or lead elsewhere.
  for (int number = 1; file_ == nullptr; ++number) {
    temporary_ = path_;
    temporary_ += number == 1 ? ".unfinished" : ".unfinished" + std::to_string(number);
    file_ = std::fopen(temporary_.c_str(), "wbxe");
    if (file_ == nullptr && errno != EEXIST) fail();
  }
  write_header();
}

NpyWriter::~NpyWriter() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void NpyWriter::append(const Matrix& rows) {
  assert(rows.columns() == columns_ || rows.rows() == 0);
  const size_t values = rows.rows() * rows.columns();
  if (std::fwrite(rows.data(), sizeof(float), values, file_) != values) fail();
  rows_ += rows.rows();
}

void NpyWriter::finish() {
  write_header();
  if (std::fclose(std::exchange(file_, nullptr)) != 0) fail();
  std::error_code error;
  std::filesystem::rename(temporary_, path_, error);
  if (error) {
    errno = error.value();
    fail();
  }
}

void NpyWriter::write_header() {
  std::string header("\x93NUMPY\x01\x00", 8);
  const auto size = static_cast<uint16_t>(kHeaderBytes - 10);
  header += static_cast<char>(size & 0xff);
  header += static_cast<char>(size >> 8);
  header += fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows_,
                        columns_);
  header.resize(kHeaderBytes - 1, ' ');
  header += '\n';
  if (std::fseek(file_, 0, SEEK_SET) != 0 ||
      std::fwrite(header.data(), 1, header.size(), file_) != header.size()) {
    fail();
  }
}

void NpyWriter::fail() const {
  throw Error(ErrorCode::Io, path_.string(), "cannot write: " + errno_text(errno));
}

}  // namespace zeroshelf
