// The snapshot: the rows in the form in which they are scanned. Tested by tests/collection.

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "lib/collection/state.h"
#include "lib/util/bytes.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRowsMagic = "zsrows01";
constexpr uint64_t kMaxRowsFileBytes = uint64_t{1} << 36;

// The magic, the counts, one bit a row (removed), 8 bytes a text vector (its owner), a checksum.
std::string encode_rows_file(const RowTable& rows) {
  ByteWriter writer;
  writer.raw(std::as_bytes(std::span(kRowsMagic)));
  writer.number<uint64_t>(rows.image.size());
  writer.number<uint64_t>(rows.text.size());
  for (size_t i = 0; i < rows.removed.size(); i += 8) {
    uint8_t bits = 0;
    for (size_t j = i; j < std::min(i + 8, rows.removed.size()); ++j)
      bits |= rows.removed[j] << (j - i);
    writer.number(bits);
  }
  writer.raw(std::as_bytes(std::span(rows.text_owners)));
  writer.number(checksum64(std::as_bytes(std::span(writer.bytes()))));
  return std::move(writer).bytes();
}

void decode_rows_file(const fs::path& path, RowTable& rows) {
  const std::string content = read_file(path, kMaxRowsFileBytes);
  const std::string subject = path.string();
  if (content.size() < 8) ByteReader(content, subject).fail("it is too short");
  const std::string_view body = std::string_view(content).substr(0, content.size() - 8);
  ByteReader seal(std::string_view(content).substr(body.size()), subject);
  ByteReader reader(body, subject);
  if (seal.number<uint64_t>() != checksum64(std::as_bytes(std::span(body))))
    reader.fail("it fails its checksum");
  if (reader.take(kRowsMagic.size()) != kRowsMagic) reader.fail("it is of another kind");
  if (reader.number<uint64_t>() != rows.image.size() ||
      reader.number<uint64_t>() != rows.text.size()) {
    reader.fail("its counts are not those of the vectors");
  }
  const std::string_view bits = reader.take((rows.image.size() + 7) / 8);
  rows.removed.resize(rows.image.size());
  for (size_t i = 0; i < rows.removed.size(); ++i) rows.removed[i] = bits[i / 8] >> i % 8 & 1;
  rows.text_owners.resize(rows.text.size());
  for (Row& owner : rows.text_owners) owner = reader.number<uint64_t>();
  reader.expect_end();
  for (size_t i = 0; i < rows.text_owners.size(); ++i) {
    if (rows.text_owners[i] >= rows.image.size() ||
        (i > 0 && rows.text_owners[i] <= rows.text_owners[i - 1])) {
      reader.fail("a text belongs to no picture");
    }
  }
}

}  // namespace

void RowTable::append(std::span<const uint16_t> image_vector,
                      std::optional<std::span<const uint16_t>> text_vector) {
  if (text_vector) {
    text.append(*text_vector);
    text_owners.push_back(image.size());
  }
  image.append(image_vector);
  removed.push_back(false);
}

layout::Current write_snapshot(const fs::path& directory, const layout::Current& current,
                               const RowTable& rows, uint64_t generation) {
  layout::Current next = current;
  next.snapshot_generation = generation;
  next.commits = generation;
  const auto path = [&](const char* kind) {
    return layout::snapshot_file(directory, kind, next.epoch, generation);
  };
  rows.image.write_faiss_file(path("image"));
  rows.text.write_faiss_file(path("text"));
  write_file_atomically(path("rows"), encode_rows_file(rows));
  next.image = layout::seal_file(path("image"));
  next.text = layout::seal_file(path("text"));
  next.rows = layout::seal_file(path("rows"));
  layout::write_current(directory, next);
  return next;
}

RowTable read_snapshot(const fs::path& directory, const layout::Current& current,
                       uint32_t dimension) {
  const auto path = [&](const char* kind) {
    return layout::snapshot_file(directory, kind, current.epoch, *current.snapshot_generation);
  };
  const auto map = [&](const char* kind, const layout::FileSeal& seal) {
    VectorRows rows = VectorRows::map_faiss_file(path(kind), dimension);
    if (rows.file_bytes() != seal.bytes) {
      throw Error(ErrorCode::Corruption, path(kind).string(),
                  "damaged: its size is not the one it was written with");
    }
    return rows;
  };
  RowTable rows(dimension);
  rows.image = map("image", current.image);
  rows.text = map("text", current.text);
  decode_rows_file(path("rows"), rows);
  return rows;
}

void remove_leftovers(const fs::path& directory, const layout::Current& current) {
  for (const fs::path& path : layout::leftovers(directory, current)) {
    std::error_code ignored;  // it will be found again
    fs::remove_all(path, ignored);
  }
}

}  // namespace zeroshelf
