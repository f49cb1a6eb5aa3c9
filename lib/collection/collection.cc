// Reading a collection. Tested by tests/collection.

#include "lib/collection/collection.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "lib/collection/state.h"
#include "lib/util/error.h"

namespace zeroshelf {
namespace {

std::string needed(const Collection::State& state, const char* what, std::string_view prefix,
                   Row row) {
  auto value = state.store->get(codec::row_key(prefix, row));
  if (!value) {
    throw Error(ErrorCode::Corruption, state.directory.string(),
                "damaged: row " + std::to_string(row) + " has no " + what,
                "run zeroshelf-index repair");
  }
  return std::move(*value);
}

uint64_t bytes_below(const std::filesystem::path& directory) {
  uint64_t bytes = 0;
  std::error_code error;
  for (auto entry = std::filesystem::recursive_directory_iterator(directory, error);
       !error && entry != std::filesystem::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code gone;
    const uint64_t size = entry->is_regular_file(gone) ? entry->file_size(gone) : 0;
    if (!gone) bytes += size;
  }
  return bytes;
}

}  // namespace

Collection::Collection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Collection::Collection(Collection&&) noexcept = default;
Collection& Collection::operator=(Collection&&) noexcept = default;
Collection::~Collection() = default;

Collection Collection::open(const std::filesystem::path& directory) {
  return Collection(open_state(directory, Store::Access::ReadOnly, nullptr));
}

const Manifest& Collection::manifest() const {
  return state_->manifest;
}
const std::filesystem::path& Collection::directory() const {
  return state_->directory;
}

CollectionCounts Collection::counts() const {
  const codec::State& counts = state_->counts;
  return {counts.live,  counts.with_text,  counts.next_row - counts.live,
          counts.skips, counts.generation, bytes_below(state_->directory)};
}

const VectorRows& Collection::image_vectors() const {
  return state_->rows.image;
}
const VectorRows& Collection::text_vectors() const {
  return state_->rows.text;
}
const std::vector<Row>& Collection::text_owners() const {
  return state_->rows.text_owners;
}
const std::vector<TextEvidence>& Collection::text_evidence() const {
  return state_->rows.text_evidence;
}
const VectorSum& Collection::image_sum() const {
  return state_->rows.image_sum;
}
const VectorSum& Collection::text_sum() const {
  return state_->rows.text_sum;
}
bool Collection::is_live(Row row) const {
  return row < state_->rows.removed.size() && !state_->rows.removed[row];
}

std::optional<size_t> Collection::text_index(Row row) const {
  return state_->rows.text_index(row);
}

PictureRecord Collection::record(Row row) const {
  return codec::decode_record(needed(*state_, "record", codec::kRecordPrefix, row));
}

std::vector<Word> Collection::words(Row row) const {
  return codec::decode_words(needed(*state_, "words", codec::kWordsPrefix, row));
}

std::optional<std::vector<uint16_t>> Collection::masked_vector(Row row) const {
  if (!state_->manifest.mask_text) return std::nullopt;
  if (text_index(row)) {
    return codec::decode_vector(needed(*state_, "masked vector", codec::kMaskedPrefix, row),
                                state_->manifest.dimension);
  }
  const std::span<const uint16_t> own = state_->rows.image.row(row);
  return std::vector<uint16_t>(own.begin(), own.end());
}

void Collection::for_each_record(
    const std::function<void(Row, const PictureRecord&)>& visit) const {
  for_each_record(0, std::numeric_limits<Row>::max(), visit);
}

void Collection::for_each_record(
    Row first, Row end, const std::function<void(Row, const PictureRecord&)>& visit) const {
  state_->store->for_each(codec::kRecordPrefix, codec::row_key(codec::kRecordPrefix, first),
                          [&](std::string_view key, std::string_view value) {
                            const Row row = codec::row_of_key(key);
                            if (row >= end) return false;
                            visit(row, codec::decode_record(value));
                            return true;
                          });
}

void Collection::for_each_words(
    Row first, Row end, const std::function<void(Row, const std::vector<Word>&)>& visit) const {
  state_->store->for_each(codec::kWordsPrefix, codec::row_key(codec::kWordsPrefix, first),
                          [&](std::string_view key, std::string_view value) {
                            const Row row = codec::row_of_key(key);
                            if (row >= end) return false;
                            visit(row, codec::decode_words(value));
                            return true;
                          });
}

std::optional<Row> Collection::find_path(std::string_view path) const {
  const auto row = state_->store->get(codec::path_key(codec::kPathPrefix, path));
  if (!row) return std::nullopt;
  return codec::decode_row(*row);
}

void Collection::for_each_path(std::string_view from,
                               const std::function<bool(std::string_view, Row)>& visit) const {
  state_->store->for_each(codec::kPathPrefix, codec::path_key(codec::kPathPrefix, from),
                          [&](std::string_view key, std::string_view value) {
                            return visit(key.substr(codec::kPathPrefix.size()),
                                         codec::decode_row(value));
                          });
}

std::optional<Row> Collection::find_content(const ContentHash& hash) const {
  std::optional<Row> found;
  state_->store->for_each(codec::content_prefix(hash), "",
                          [&](std::string_view key, std::string_view) {
                            found = codec::row_of_content_key(key);
                            return false;
                          });
  return found;
}

std::vector<Row> Collection::find_contents(const ContentHash& hash) const {
  std::vector<Row> rows;
  state_->store->for_each(codec::content_prefix(hash), "",
                          [&](std::string_view key, std::string_view) {
                            rows.push_back(codec::row_of_content_key(key));
                            return true;
                          });
  return rows;
}

void Collection::for_each_content(
    const ContentHash& from, Row from_row,
    const std::function<bool(const ContentHash&, Row)>& visit) const {
  state_->store->for_each(codec::kContentPrefix, codec::content_key(from, from_row),
                          [&](std::string_view key, std::string_view) {
                            return visit(codec::hash_of_content_key(key),
                                         codec::row_of_content_key(key));
                          });
}

std::string Collection::text_languages(Row row) const {
  const auto languages = state_->store->get(codec::row_key(codec::kLanguagesPrefix, row));
  return languages ? codec::decode_languages(*languages) : state_->manifest.ocr_languages;
}

void Collection::for_each_languages(
    const std::function<void(Row, const std::string&)>& visit) const {
  state_->store->for_each(codec::kLanguagesPrefix, "",
                          [&](std::string_view key, std::string_view value) {
                            visit(codec::row_of_key(key), codec::decode_languages(value));
                            return true;
                          });
}

std::vector<Row> Collection::blank_rows() const {
  std::vector<Row> rows;
  state_->store->for_each(codec::kBlankPrefix, "", [&](std::string_view key, std::string_view) {
    rows.push_back(codec::row_of_key(key));
    return true;
  });
  return rows;
}

void Collection::for_each_identity(
    const std::function<void(std::string_view, const FileIdentity&)>& visit) const {
  state_->store->for_each(codec::kIdentityPrefix, "",
                          [&](std::string_view key, std::string_view value) {
                            visit(key.substr(1), codec::decode_identity(value));
                            return true;
                          });
}

bool Collection::can_restore(const ContentHash& hash, const std::string& languages) const {
  try {
    const auto bytes = state_->store->get(codec::gone_key(hash));
    if (!bytes) return false;
    const Manifest& manifest = state_->manifest;
    const codec::GonePicture gone =
        codec::decode_gone(*bytes, manifest.dimension, manifest.mask_text);
    return gone.record.content_hash == hash &&
           (languages.empty() || gone.read_in.value_or(manifest.ocr_languages) == languages);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::Corruption) throw;
    return false;  // only a help: the file is read like any other
  }
}

void Collection::for_each_skip(const std::function<void(const SkippedFile&)>& visit) const {
  state_->store->for_each(codec::kSkipPrefix, "",
                          [&](std::string_view key, std::string_view value) {
                            visit(codec::decode_skip(key.substr(1), value));
                            return true;
                          });
}

std::optional<SkippedFile> Collection::find_skip(std::string_view path) const {
  const auto skip = state_->store->get(codec::path_key(codec::kSkipPrefix, path));
  if (!skip) return std::nullopt;
  return codec::decode_skip(path, *skip);
}

}  // namespace zeroshelf
