// Tested by tests/export/indexed_picture_test.cc.

#include "lib/export/indexed_picture.h"

#include <algorithm>
#include <span>
#include <string>

#include "lib/image/decode.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"

namespace zeroshelf {
namespace {

std::variant<std::string, Skip> read_picture(const PictureRecord& record, uint64_t max_bytes) {
  try {
    std::string bytes = read_file(record.file.path, max_bytes);
    if (content_hash(std::as_bytes(std::span(bytes))) == record.content_hash) return bytes;
    return Skip{SkipReason::Changed, "the file changed since it was indexed"};
  } catch (const Error& error) {
    if (error.code() == ErrorCode::NotFound) return Skip{SkipReason::Vanished, "the file is gone"};
    return Skip{SkipReason::Unreadable, error.cause()};
  }
}

}  // namespace

// What was decoded once with raised limits may be again.
DecodeLimits limits_for(const PictureRecord& record) {
  DecodeLimits limits;
  limits.max_bytes = std::max(limits.max_bytes, record.file.size_bytes);
  limits.max_pixels = std::max(limits.max_pixels, uint64_t{record.width_px} * record.height_px);
  return limits;
}

std::variant<std::string, Skip> indexed_file(const PictureRecord& record) {
  return read_picture(record, limits_for(record).max_bytes);
}

std::variant<Image, Skip> indexed_picture(const PictureRecord& record) {
  const auto file = indexed_file(record);
  if (const Skip* skip = std::get_if<Skip>(&file)) return *skip;
  return decode_image(std::as_bytes(std::span(std::get<std::string>(file))), limits_for(record));
}

}  // namespace zeroshelf
