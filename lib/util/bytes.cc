// Tested by tests/util/bytes_test.cc.

#include "lib/util/bytes.h"

#include <cassert>

#include "lib/util/error.h"

namespace zeroshelf {

void ByteWriter::varint(uint64_t value) {
  while (value >= 0x80) {
    bytes_.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  bytes_.push_back(static_cast<char>(value));
}

void ByteWriter::text(std::string_view text) {
  varint(text.size());
  bytes_.append(text);
}

uint64_t ByteReader::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const auto byte = static_cast<uint8_t>(take(1)[0]);
    if (shift == 63 && byte > 1) break;
    if (shift > 0 && byte == 0) fail("a number is longer than it need be");
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  fail("a number is too long");
}

uint64_t ByteReader::varint_at_most(uint64_t limit) {
  const uint64_t value = varint();
  if (value > limit) fail("a number is out of range");
  return value;
}

std::string_view ByteReader::text() {
  return take(varint());
}

std::string_view ByteReader::take(uint64_t size) {
  if (size > bytes_.size()) fail("it ends too early");
  const std::string_view taken = bytes_.substr(0, size);
  bytes_.remove_prefix(size);
  return taken;
}

void ByteReader::expect_end() const {
  if (!bytes_.empty()) fail("it has bytes left over");
}

void ByteReader::fail(const std::string& cause) const {
  throw Error(ErrorCode::Corruption, std::string(subject_), "damaged: " + cause);
}

std::string big_endian_key(uint64_t value) {
  std::string key(8, '\0');
  for (int i = 7; i >= 0; --i, value >>= 8) key[i] = static_cast<char>(value);
  return key;
}

uint64_t from_big_endian_key(std::string_view bytes) {
  assert(bytes.size() == 8);
  uint64_t value = 0;
  for (char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

}  // namespace zeroshelf
