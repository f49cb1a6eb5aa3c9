// Tested by tests/files/npy_test.cc.

#include "lib/files/npy_reader.h"

#include <fmt/format.h>

#include <cassert>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/util/bytes.h"
#include "lib/util/error.h"
#include "lib/util/fp16.h"
#include "lib/util/input.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr const char* kMatrix =
    "numpy.ascontiguousarray(vectors, dtype='float32'), one row a picture";
constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr size_t kMaxHeaderBytes = size_t{1} << 16;

struct Header {
  std::optional<std::string> type;
  std::optional<bool> fortran_order;
  std::optional<std::vector<uint64_t>> shape;
};

// The header is a Python dictionary of three known keys; nothing else is taken.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& subject)
      : rest_(text), subject_(subject) {}

  Header parse() {
    Header header;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr" && !header.type) {
        header.type = quoted();
      } else if (key == "fortran_order" && !header.fortran_order) {
        header.fortran_order = boolean();
      } else if (key == "shape" && !header.shape) {
        header.shape = tuple();
      } else {
        fail();
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (!rest_.empty() || !header.type || !header.fortran_order || !header.shape) fail();
    return header;
  }

 private:
  [[noreturn]] void fail() const {
    throw Error(ErrorCode::Corruption, subject_, "not the header of a NumPy array");
  }
  void skip_space() {
    const size_t start = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(start == std::string_view::npos ? rest_.size() : start);
  }
  bool accept(char c) {
    skip_space();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail();
  }
  bool accept_word(std::string_view word) {
    skip_space();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  std::string quoted() {
    const char quote = accept('\'') ? '\'' : accept('"') ? '"' : '\0';
    const size_t end = quote == '\0' ? std::string_view::npos : rest_.find(quote);
    if (end == std::string_view::npos) fail();
    const std::string text(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return text;
  }
  bool boolean() {
    if (accept_word("True")) return true;
    if (accept_word("False")) return false;
    fail();
  }
  uint64_t number() {
    skip_space();
    uint64_t value = 0;
    size_t digits = 0;
    while (digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9') {
      if (digits == 15) fail();  // no file is that large
      value = value * 10 + static_cast<uint64_t>(rest_[digits++] - '0');
    }
    if (digits == 0) fail();
    rest_.remove_prefix(digits);
    return value;
  }
  std::vector<uint64_t> tuple() {
    std::vector<uint64_t> values;
    expect('(');
    while (!accept(')')) {
      values.push_back(number());
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return values;
  }

  std::string_view rest_;
  const std::string& subject_;
};

}  // namespace

NpyReader::NpyReader(const std::filesystem::path& path) : path_(path) {
  constexpr uint64_t kMostBytes = uint64_t{64} << 30;
  if (is_regular_input(path)) {
    file_ = MappedFile(path);
  } else {
    memory_ = read_input(path, kMostBytes);
  }
  read_header();
}

void NpyReader::read_header() {
  const std::string subject = path_.string();
  const auto bytes = this->bytes();
  ByteReader reader({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, subject);
  if (bytes.size() < kMagic.size() || reader.take(kMagic.size()) != kMagic)
    throw Error(ErrorCode::Corruption, subject, "not a NumPy array file (.npy)");
  const auto version = reader.number<uint8_t>();
  reader.number<uint8_t>();
  if (version < 1 || version > 3) {
    throw Error(ErrorCode::Incompatible, subject,
                fmt::format("version {} of the .npy format; 1 to 3 are read", version));
  }
  const uint64_t size = version == 1 ? reader.number<uint16_t>() : reader.number<uint32_t>();
  if (size > kMaxHeaderBytes) reader.fail("damaged: its header is too long");
  const Header header = HeaderParser(reader.take(size), subject).parse();
  data_offset_ = bytes.size() - reader.left();

  const auto incompatible = [&](const std::string& cause, const std::string& array = kMatrix) {
    return Error(ErrorCode::Incompatible, subject, cause, "save it as " + array);
  };
  if (*header.type != "<f4" && *header.type != "<f2")
    throw incompatible("its values are '" + *header.type + "', not float32 or float16");
  if (*header.fortran_order) throw incompatible("it is in Fortran order");
  if (header.shape->size() == 1)
    throw incompatible("it is one vector and not a matrix of them",
                       "vector[None], a matrix of one row");
  if (header.shape->size() != 2)
    throw incompatible(fmt::format("it has {} dimensions, not 2", header.shape->size()));
  value_bytes_ = *header.type == "<f4" ? 4 : 2;
  const uint64_t rows = (*header.shape)[0];
  const uint64_t columns = (*header.shape)[1];
  // Below 10^15 each, so that dividing cannot go wrong where multiplying would.
  const uint64_t values = reader.left() / value_bytes_;
  const bool fits = rows == 0 || columns == 0 ? reader.left() == 0
                                              : values / columns == rows &&
                                                    reader.left() == rows * columns * value_bytes_;
  if (!fits) {
    throw Error(ErrorCode::Corruption, subject,
                fmt::format("damaged: {} bytes do not hold {} rows of {} values", reader.left(),
                            rows, columns));
  }
  rows_ = rows;
  columns_ = columns;
}

void NpyReader::read_row(size_t row, std::span<float> out) const {
  assert(row < rows_ && out.size() == columns_);
  const std::byte* data = bytes().data() + data_offset_ + row * columns_ * value_bytes_;
  if (value_bytes_ == 4) {
    std::memcpy(out.data(), data, out.size_bytes());
    return;
  }
  std::vector<uint16_t> halves(columns_);
  std::memcpy(halves.data(), data, halves.size() * 2);
  from_fp16(halves, out);
}

Matrix NpyReader::matrix() const {
  Matrix result(rows_, columns_);
  for (size_t i = 0; i < rows_; ++i) read_row(i, result.row(i));
  return result;
}

}  // namespace zeroshelf
