#pragma once

// Writing and reading small binary records, little endian. A reader never reads past its input:
// damaged input throws Error(Corruption), and a length is checked against what is left before
// anything is allocated for it.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace zeroshelf {

static_assert(std::endian::native == std::endian::little, "the file formats are little endian");

class ByteWriter {
 public:
  template <class T>
  requires std::is_arithmetic_v<T>
  void number(T value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  // Unsigned LEB128, 1 to 10 bytes.
  void varint(uint64_t value);
  // A varint length and the bytes.
  void text(std::string_view text);
  void raw(std::span<const std::byte> bytes) {
    bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  // Zeros up to a multiple of 8 bytes, where an array may begin.
  void align() { bytes_.resize((bytes_.size() + 7) / 8 * 8); }
  // An array of numbers, and what aligns the next.
  template <class T>
  void array(std::span<const T> values) {
    raw(std::as_bytes(values));
    align();
  }

  const std::string& bytes() const& { return bytes_; }
  std::string bytes() && { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class ByteReader {
 public:
  // subject: what is being read, for the error's text. Both must outlive the reader.
  ByteReader(std::string_view bytes, std::string_view subject) : bytes_(bytes), subject_(subject) {}

  template <class T>
  requires std::is_arithmetic_v<T> T number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  // As short as ByteWriter writes it: every value has one form.
  uint64_t varint();
  // A varint that must be at most limit.
  uint64_t varint_at_most(uint64_t limit);
  std::string_view text();
  // The next size bytes.
  std::string_view take(uint64_t size);

  size_t left() const { return bytes_.size(); }
  // Throws unless everything was read.
  void expect_end() const;
  [[noreturn]] void fail(const std::string& cause) const;

 private:
  std::string_view bytes_;
  std::string_view subject_;
};

// Reads what ByteWriter::array wrote, in place: the first array begins at a multiple of 8 bytes in
// memory. For files that are mapped.
class ArrayReader {
 public:
  explicit ArrayReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  // Takes the next array; false, and nothing taken, when there are fewer values left.
  template <class T>
  bool next(std::span<const T>& out, uint64_t count) {
    if (count > bytes_.size() / sizeof(T)) return false;
    const uint64_t size = (count * sizeof(T) + 7) / 8 * 8;
    if (size > bytes_.size()) return false;
    out = {reinterpret_cast<const T*>(bytes_.data()), count};
    bytes_ = bytes_.subspan(size);
    return true;
  }
  std::span<const std::byte> left() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

// Big-endian 8 bytes: keys whose byte order is their numeric order.
std::string big_endian_key(uint64_t value);
uint64_t from_big_endian_key(std::string_view bytes);  // exactly 8 bytes

}  // namespace zeroshelf
