// The snapshot: the rows in the form in which they are scanned. Tested by tests/collection.

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "lib/collection/state.h"
#include "lib/files/new_file.h"
#include "lib/util/bytes.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRowsMagic = "zsrows02";
constexpr uint64_t kMaxRowsFileBytes = uint64_t{1} << 36;

// docs/collection-format.md describes it.
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
  for (const TextEvidence& text : rows.text_evidence) {
    writer.number(text.word_count);
    writer.number(text.confidence);
  }
  for (const VectorSum* sum : {&rows.image_sum, &rows.text_sum}) {
    writer.number(sum->count());
    writer.raw(std::as_bytes(sum->parts()));
  }
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
  rows.text_evidence.resize(rows.text.size());
  for (TextEvidence& text : rows.text_evidence) {
    text.word_count = reader.number<uint32_t>();
    text.confidence = reader.number<float>();
    if (!(text.confidence >= 0 && text.confidence <= 1)) reader.fail("a confidence is not 0 to 1");
  }
  for (VectorSum* sum : {&rows.image_sum, &rows.text_sum}) {
    const auto count = reader.number<uint64_t>();
    if (count > rows.image.size()) reader.fail("it sums up more vectors than there are");
    std::vector<uint64_t> parts(rows.image.dimension());
    for (uint64_t& part : parts) part = reader.number<uint64_t>();
    sum->set(std::move(parts), count);
  }
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
                      const std::optional<RowText>& row_text) {
  if (row_text) {
    text.append(row_text->vector);
    text_owners.push_back(image.size());
    text_evidence.push_back(row_text->evidence);
    text_sum.add(row_text->vector);
  }
  image.append(image_vector);
  image_sum.add(image_vector);
  removed.push_back(false);
}

void RowTable::append_removed() {
  image.append(std::vector<uint16_t>(image.dimension(), 0));
  removed.push_back(true);
}

void RowTable::remove(Row row) {
  if (removed[row]) return;
  removed[row] = true;
  image_sum.subtract(image.row(row));
  if (const auto index = text_index(row)) text_sum.subtract(text.row(*index));
}

std::optional<size_t> RowTable::text_index(Row row) const {
  const auto found = std::lower_bound(text_owners.begin(), text_owners.end(), row);
  if (found == text_owners.end() || *found != row) return std::nullopt;
  return static_cast<size_t>(found - text_owners.begin());
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

}  // namespace zeroshelf
