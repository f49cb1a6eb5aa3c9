#pragma once

// A change of some bytes in many, and how it is taken back. Threads: any.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zeroshelf {

// These bytes in the place of those [offset, offset + length).
struct ByteEdit {
  uint64_t offset = 0;
  uint64_t length = 0;
  std::string bytes;

  bool operator==(const ByteEdit&) const = default;
};

// Ascending, none in another one's place.
using ByteEdits = std::vector<ByteEdit>;

// Throws Corruption for edits that do not fit the bytes; the subject is empty.
std::string edited(std::string_view before, const ByteEdits& edits);

// What makes of edited(before, edits) the bytes before again.
ByteEdits inverse(std::string_view before, const ByteEdits& edits);

// For files. Decoding throws Corruption for what is not exactly what encoding gives.
std::string encode_edits(const ByteEdits& edits);
ByteEdits decode_edits(std::string_view encoded);

}  // namespace zeroshelf
