// Tested by tests/xmp/byte_edits_test.cc.

#include "lib/xmp/byte_edits.h"

#include "lib/util/bytes.h"
#include "lib/util/error.h"

namespace zeroshelf {
namespace {

void check(uint64_t size, const ByteEdits& edits) {
  uint64_t from = 0;
  for (const ByteEdit& edit : edits) {
    if (edit.offset < from || edit.offset > size || edit.length > size - edit.offset)
      throw Error(ErrorCode::Corruption, "", "a change that does not fit the file");
    from = edit.offset + edit.length;
  }
}

}  // namespace

std::string edited(std::string_view before, const ByteEdits& edits) {
  check(before.size(), edits);
  std::string after;
  uint64_t from = 0;
  for (const ByteEdit& edit : edits) {
    after += before.substr(from, edit.offset - from);
    after += edit.bytes;
    from = edit.offset + edit.length;
  }
  return after += before.substr(from);
}

ByteEdits inverse(std::string_view before, const ByteEdits& edits) {
  check(before.size(), edits);
  ByteEdits back;
  uint64_t grown = 0;  // modulo 2^64, where it shrinks
  for (const ByteEdit& edit : edits) {
    back.push_back({edit.offset + grown, edit.bytes.size(),
                    std::string(before.substr(edit.offset, edit.length))});
    grown += edit.bytes.size() - edit.length;
  }
  return back;
}

std::string encode_edits(const ByteEdits& edits) {
  ByteWriter writer;
  writer.varint(edits.size());
  for (const ByteEdit& edit : edits) {
    writer.varint(edit.offset);
    writer.varint(edit.length);
    writer.text(edit.bytes);
  }
  return std::move(writer).bytes();
}

ByteEdits decode_edits(std::string_view encoded) {
  ByteReader reader(encoded, "");
  ByteEdits edits;
  for (uint64_t left = reader.varint_at_most(encoded.size()); left > 0; --left) {
    ByteEdit edit;
    edit.offset = reader.varint();
    edit.length = reader.varint();
    edit.bytes = reader.text();
    edits.push_back(std::move(edit));
  }
  reader.expect_end();
  return edits;
}

}  // namespace zeroshelf
