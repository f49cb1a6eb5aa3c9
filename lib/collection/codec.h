#pragma once

// Inside lib/collection: keys and values of the store. docs/collection-format.md describes them;
// they may never change without a new format version.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/collection/records.h"

namespace zeroshelf::codec {

// One letter and what it is keyed by; row numbers are 8 bytes, big endian.
inline constexpr std::string_view kRecordPrefix = "r";   // row -> record
inline constexpr std::string_view kImagePrefix = "i";    // row -> fp16 picture vector
inline constexpr std::string_view kTextPrefix = "t";     // row -> fp16 text vector
inline constexpr std::string_view kMaskedPrefix = "m";   // row -> fp16 vector, text masked
inline constexpr std::string_view kWordsPrefix = "w";    // row -> OCR words
inline constexpr std::string_view kPathPrefix = "p";     // path -> row
inline constexpr std::string_view kContentPrefix = "h";  // content hash, row -> nothing
inline constexpr std::string_view kSkipPrefix = "s";     // path -> why it was skipped
inline constexpr std::string_view kRemovedPrefix = "x";  // generation -> rows that it removed
inline constexpr std::string_view kLanguagesPrefix = "l";  // row -> what its text was read in
inline constexpr std::string_view kBlankPrefix = "b";      // row -> nothing: the picture is blank
inline constexpr std::string_view kIdentityPrefix = "f";   // path -> the file's identity
inline constexpr std::string_view kGonePrefix = "g";  // content hash -> a picture that was removed
// Everything that is kept under a row's number; a removed row has none of it.
inline constexpr std::string_view kRowPrefixes[] = {kRecordPrefix, kImagePrefix, kTextPrefix,
                                                    kMaskedPrefix, kWordsPrefix,
                                                    kLanguagesPrefix, kBlankPrefix};
inline constexpr std::string_view kStateKey = "!state";
inline constexpr std::string_view kManifestKey = "!manifest";

std::string row_key(std::string_view prefix, Row row);
// The row of a key of prefix and row. Throws Corruption when it has another length.
Row row_of_key(std::string_view key);
std::string path_key(std::string_view prefix, std::string_view path);
std::string content_prefix(const ContentHash& hash);
std::string content_key(const ContentHash& hash, Row row);
// Both throw Corruption when it has another length.
ContentHash hash_of_content_key(std::string_view key);
Row row_of_content_key(std::string_view key);

std::string encode_record(const PictureRecord& record);
PictureRecord decode_record(std::string_view bytes);
std::string encode_words(const std::vector<Word>& words);
std::vector<Word> decode_words(std::string_view bytes);
std::string encode_skip(const SkippedFile& file);
SkippedFile decode_skip(std::string_view path, std::string_view bytes);
std::string encode_row(Row row);
Row decode_row(std::string_view bytes);
std::string encode_rows(const std::vector<Row>& rows);
std::vector<Row> decode_rows(std::string_view bytes);
std::string encode_languages(std::string_view languages);
std::string decode_languages(std::string_view bytes);
std::string encode_identity(const FileIdentity& identity);
FileIdentity decode_identity(std::string_view bytes);

// What a removed picture leaves behind until the collection is compacted.
struct GonePicture {
  PictureRecord record;
  std::vector<Word> words;
  std::vector<uint16_t> image;
  std::optional<std::vector<uint16_t>> text;
  std::optional<std::vector<uint16_t>> masked;
  std::optional<std::string> read_in;
  bool is_blank = false;
};
std::string gone_key(const ContentHash& hash);
std::string encode_gone(const GonePicture& picture);
// Throws Corruption also where its parts do not fit together.
GonePicture decode_gone(std::string_view bytes, uint32_t dimension, bool mask_text);

std::string encode_vector(std::span<const uint16_t> halves);
// Throws Corruption unless it has the dimension.
std::vector<uint16_t> decode_vector(std::string_view bytes, uint32_t dimension);

// Counts that each commit carries forward.
struct State {
  uint64_t generation = 0;  // commits so far
  Row next_row = 0;
  uint64_t live = 0;
  uint64_t with_text = 0;
  uint64_t skips = 0;
  uint64_t pruned_to = 0;  // removals of this generation and before are no longer listed

  bool operator==(const State&) const = default;
};
std::string encode_state(const State& state);
State decode_state(std::string_view bytes);

}  // namespace zeroshelf::codec
