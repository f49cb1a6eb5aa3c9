// Tested by tests/collection/codec_test.cc.

#include "lib/collection/codec.h"

#include <cmath>
#include <cstring>

#include "lib/util/bytes.h"
#include "lib/util/error.h"

namespace zeroshelf::codec {
namespace {

constexpr uint8_t kRecordVersion = 1;
// The version of a record that also says how the picture lies and what in it was not read.
constexpr uint8_t kReadingVersion = 2;
constexpr size_t kRowBytes = 8;
// More rows than any disk holds; less than what would overflow in a product with a vector's bytes.
constexpr uint64_t kMaxRows = uint64_t{1} << 40;

ByteReader versioned(std::string_view bytes, std::string_view subject) {
  ByteReader reader(bytes, subject);
  if (reader.number<uint8_t>() != kRecordVersion) reader.fail("its version is unknown");
  return reader;
}

ByteWriter versioned() {
  ByteWriter writer;
  writer.number(kRecordVersion);
  return writer;
}

void write_stamp(ByteWriter& writer, const FileStamp& file) {
  writer.number(file.size_bytes);
  writer.number(file.mtime_ns);
}

Row row_at(std::string_view key, size_t offset) {
  if (key.size() != offset + kRowBytes) {
    throw Error(ErrorCode::Corruption, "collection", "damaged: a key has the wrong length");
  }
  return from_big_endian_key(key.substr(offset));
}

}  // namespace

std::string row_key(std::string_view prefix, Row row) {
  return std::string(prefix) + big_endian_key(row);
}
Row row_of_key(std::string_view key) {
  return row_at(key, 1);
}
std::string path_key(std::string_view prefix, std::string_view path) {
  return std::string(prefix).append(path);
}

std::string content_prefix(const ContentHash& hash) {
  return std::string(kContentPrefix)
      .append(reinterpret_cast<const char*>(hash.data()), hash.size());
}
std::string content_key(const ContentHash& hash, Row row) {
  return content_prefix(hash) + big_endian_key(row);
}
ContentHash hash_of_content_key(std::string_view key) {
  row_of_content_key(key);
  ContentHash hash;
  std::memcpy(hash.data(), key.data() + kContentPrefix.size(), hash.size());
  return hash;
}
Row row_of_content_key(std::string_view key) {
  return row_at(key, 1 + std::tuple_size_v<ContentHash>);
}

std::string encode_record(const PictureRecord& record) {
  const bool is_plain = record.turned_degrees == 0 && record.unread_script.empty();
  ByteWriter writer;
  writer.number(is_plain ? kRecordVersion : kReadingVersion);
  writer.text(record.file.path);
  write_stamp(writer, record.file);
  writer.raw(std::as_bytes(std::span(record.content_hash)));
  writer.varint(record.width_px);
  writer.varint(record.height_px);
  writer.varint(record.word_count);
  writer.number(record.text_confidence);
  if (!is_plain) {
    writer.number(static_cast<uint8_t>(record.turned_degrees / 90));
    writer.text(record.unread_script);
  }
  return std::move(writer).bytes();
}

PictureRecord decode_record(std::string_view bytes) {
  ByteReader reader(bytes, "record");
  const auto version = reader.number<uint8_t>();
  if (version != kRecordVersion && version != kReadingVersion)
    reader.fail("its version is unknown");
  PictureRecord record;
  record.file.path = reader.text();
  record.file.size_bytes = reader.number<uint64_t>();
  record.file.mtime_ns = reader.number<int64_t>();
  std::memcpy(record.content_hash.data(), reader.take(record.content_hash.size()).data(),
              record.content_hash.size());
  record.width_px = static_cast<uint32_t>(reader.varint_at_most(UINT32_MAX));
  record.height_px = static_cast<uint32_t>(reader.varint_at_most(UINT32_MAX));
  record.word_count = static_cast<uint32_t>(reader.varint_at_most(UINT32_MAX));
  record.text_confidence = reader.number<float>();
  if (!std::isfinite(record.text_confidence)) reader.fail("a confidence is no number");
  if (version == kReadingVersion) {
    const auto quarters = reader.number<uint8_t>();
    if (quarters > 3) reader.fail("a picture is turned by more than 270 degrees");
    record.turned_degrees = 90 * quarters;
    record.unread_script = reader.text();
  }
  reader.expect_end();
  return record;
}

std::string encode_words(const std::vector<Word>& words) {
  ByteWriter writer = versioned();
  writer.varint(words.size());
  for (const Word& word : words) {
    writer.text(word.text);
    writer.number(word.confidence);
    for (const int value : {word.box.x, word.box.y, word.box.width, word.box.height})
      writer.number<int32_t>(value);
  }
  return std::move(writer).bytes();
}

std::vector<Word> decode_words(std::string_view bytes) {
  constexpr size_t kSmallestWord = 21;
  ByteReader reader = versioned(bytes, "words");
  std::vector<Word> words(reader.varint_at_most(bytes.size() / kSmallestWord));
  for (Word& word : words) {
    word.text = reader.text();
    word.confidence = reader.number<float>();
    if (!std::isfinite(word.confidence)) reader.fail("a confidence is no number");
    for (int* value : {&word.box.x, &word.box.y, &word.box.width, &word.box.height})
      *value = reader.number<int32_t>();
  }
  reader.expect_end();
  return words;
}

std::string encode_skip(const SkippedFile& file) {
  ByteWriter writer = versioned();
  write_stamp(writer, file.file);
  writer.number(static_cast<uint8_t>(file.skip.reason));
  writer.text(file.skip.detail);
  return std::move(writer).bytes();
}

SkippedFile decode_skip(std::string_view path, std::string_view bytes) {
  ByteReader reader = versioned(bytes, "skip");
  SkippedFile file;
  file.file.path = path;
  file.file.size_bytes = reader.number<uint64_t>();
  file.file.mtime_ns = reader.number<int64_t>();
  file.skip.reason = static_cast<SkipReason>(reader.number<uint8_t>());
  if (skip_reason_name(file.skip.reason) == "unknown") reader.fail("its reason is unknown");
  file.skip.detail = reader.text();
  reader.expect_end();
  return file;
}

std::string encode_row(Row row) {
  return encode_rows({row});
}

Row decode_row(std::string_view bytes) {
  const std::vector<Row> rows = decode_rows(bytes);
  if (rows.size() != 1) throw Error(ErrorCode::Corruption, "path index", "damaged: not one row");
  return rows[0];
}

std::string encode_rows(const std::vector<Row>& rows) {
  ByteWriter writer = versioned();
  writer.varint(rows.size());
  for (const Row row : rows) writer.varint(row);
  return std::move(writer).bytes();
}

std::vector<Row> decode_rows(std::string_view bytes) {
  ByteReader reader = versioned(bytes, "rows");
  std::vector<Row> rows(reader.varint_at_most(bytes.size()));
  for (Row& row : rows) row = reader.varint();
  reader.expect_end();
  return rows;
}

std::string encode_languages(std::string_view languages) {
  ByteWriter writer = versioned();
  writer.text(languages);
  return std::move(writer).bytes();
}

std::string decode_languages(std::string_view bytes) {
  ByteReader reader = versioned(bytes, "languages");
  std::string languages(reader.text());
  reader.expect_end();
  return languages;
}

std::string encode_identity(const FileIdentity& identity) {
  ByteWriter writer = versioned();
  writer.varint(identity.device);
  writer.varint(identity.inode);
  writer.number(identity.changed_ns);
  return std::move(writer).bytes();
}

FileIdentity decode_identity(std::string_view bytes) {
  ByteReader reader = versioned(bytes, "identity of a file");
  FileIdentity identity;
  identity.device = reader.varint();
  identity.inode = reader.varint();
  identity.changed_ns = reader.number<int64_t>();
  reader.expect_end();
  return identity;
}

std::string gone_key(const ContentHash& hash) {
  return std::string(kGonePrefix).append(reinterpret_cast<const char*>(hash.data()), hash.size());
}

namespace {

std::string optional_vector(const std::optional<std::vector<uint16_t>>& halves) {
  return halves ? encode_vector(*halves) : "";
}

std::optional<std::vector<uint16_t>> optional_vector(std::string_view bytes, uint32_t dimension) {
  if (bytes.empty()) return std::nullopt;
  return decode_vector(bytes, dimension);
}

}  // namespace

std::string encode_gone(const GonePicture& picture) {
  ByteWriter writer = versioned();
  writer.text(encode_record(picture.record));
  writer.text(encode_words(picture.words));
  writer.text(encode_vector(picture.image));
  writer.text(optional_vector(picture.text));
  writer.text(optional_vector(picture.masked));
  writer.text(picture.read_in ? encode_languages(*picture.read_in) : "");
  writer.number(static_cast<uint8_t>(picture.is_blank));
  return std::move(writer).bytes();
}

GonePicture decode_gone(std::string_view bytes, uint32_t dimension, bool mask_text) {
  ByteReader reader = versioned(bytes, "removed picture");
  GonePicture picture;
  picture.record = decode_record(reader.text());
  picture.words = decode_words(reader.text());
  picture.image = decode_vector(reader.text(), dimension);
  picture.text = optional_vector(reader.text(), dimension);
  picture.masked = optional_vector(reader.text(), dimension);
  if (const std::string_view languages = reader.text(); !languages.empty())
    picture.read_in = decode_languages(languages);
  picture.is_blank = reader.number<uint8_t>() != 0;
  reader.expect_end();
  const bool has_text = picture.record.word_count > 0;
  if (picture.words.size() != picture.record.word_count || picture.text.has_value() != has_text ||
      picture.masked.has_value() != (has_text && mask_text)) {
    reader.fail("its parts do not fit together");
  }
  return picture;
}

std::string encode_vector(std::span<const uint16_t> halves) {
  return {reinterpret_cast<const char*>(halves.data()), halves.size_bytes()};
}

std::vector<uint16_t> decode_vector(std::string_view bytes, uint32_t dimension) {
  std::vector<uint16_t> halves(dimension);
  if (bytes.size() != halves.size() * sizeof(uint16_t)) {
    throw Error(ErrorCode::Corruption, "vector", "damaged: it has not the collection's dimension");
  }
  std::memcpy(halves.data(), bytes.data(), bytes.size());
  return halves;
}

std::string encode_state(const State& state) {
  ByteWriter writer = versioned();
  for (const uint64_t value : {state.generation, state.next_row, state.live, state.with_text,
                               state.skips, state.pruned_to}) {
    writer.varint(value);
  }
  return std::move(writer).bytes();
}

State decode_state(std::string_view bytes) {
  ByteReader reader = versioned(bytes, "state");
  State state;
  for (uint64_t* value : {&state.generation, &state.next_row, &state.live, &state.with_text,
                          &state.skips, &state.pruned_to}) {
    *value = reader.varint();
  }
  reader.expect_end();
  if (state.next_row > kMaxRows || state.live > state.next_row || state.with_text > state.live ||
      state.pruned_to > state.generation)
    reader.fail("its counts do not fit together");
  return state;
}

}  // namespace zeroshelf::codec
