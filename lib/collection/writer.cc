// Creating and committing. Tested by tests/collection.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "lib/collection/foreign.h"
#include "lib/collection/own_files.h"
#include "lib/collection/state.h"
#include "lib/util/error.h"
#include "lib/util/file.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using codec::row_key;

// --- creating -----------------------------------------------------------------------------------

void check_same_model(const Manifest& found, const Manifest& wanted, const fs::path& directory) {
  if (found.model_fingerprint == wanted.model_fingerprint && found.dimension == wanted.dimension)
    return;
  throw Error(ErrorCode::Incompatible, directory.string(),
              fmt::format("made with another model ({}, {} dimensions, fingerprint {})",
                          found.model_name, found.dimension, found.model_fingerprint),
              "use that model, or another collection");
}

bool has_no_commit(const fs::path& records) {
  try {
    const auto counts = Store(records, Store::Access::ReadOnly).get(codec::kStateKey);
    return !counts || codec::decode_state(*counts).generation == 0;
  } catch (const Error&) {
    return false;
  }
}

// Records of creations cut short: the mark says so, or there is nothing in them.
void remove_unborn_records(const fs::path& directory) {
  for (const uint64_t epoch : layout::epochs_on_disk(directory)) {
    const auto mark = layout::read_records_mark(directory, epoch);
    if (mark && (mark->empty() || has_no_commit(layout::records_directory(directory, epoch))))
      layout::remove_records(directory, epoch);
  }
}

// The manifest comes last: without it, and without a commit, the directory counts as not created.
// What an earlier creation left goes in the other order, CURRENT before the records that it names.
void create(const fs::path& directory, const Manifest& manifest) {
  if (::unlink((directory / layout::kCurrentFile).c_str()) == 0) sync_path(directory);
  remove_unborn_records(directory);
  layout::Current current;
  current.epoch = layout::free_epoch(directory, current.epoch, 0);
  layout::make_records_directory(directory, current.epoch, "");
  {
    Store store(layout::records_directory(directory, current.epoch), Store::Access::Create);
    StoreBatch batch;
    batch.put(codec::kManifestKey, layout::encode_manifest(manifest));
    batch.put(codec::kStateKey, codec::encode_state({}));
    store.write(std::move(batch));
    store.flush();
  }
  layout::write_records_mark(directory, current.epoch, layout::records_owner(manifest));
  layout::write_current(directory, current);
  layout::write_manifest(directory, manifest);
}

// --- committing ---------------------------------------------------------------------------------

std::vector<uint16_t> checked_halves(const std::vector<float>& vector, uint32_t dimension,
                                     const std::string& path) {
  double square = 0;
  for (const float value : vector) square += static_cast<double>(value) * value;
  // Written so that a NaN fails too.
  if (vector.size() != dimension || !(std::abs(std::sqrt(square) - 1) < 1e-3)) {
    throw Error(
        ErrorCode::InvalidArgument, path,
        fmt::format(
            "a vector of {} dimensions and length {:.4f} for a collection of unit vectors of {}",
            vector.size(), std::sqrt(square), dimension));
  }
  std::vector<uint16_t> halves(dimension);
  to_fp16(vector, halves);
  return halves;
}

// A Batch -> the changes of the store, and what they do to the rows in memory. Nothing of the
// collection is touched.
class Commit {
 public:
  struct AddedRow {
    std::vector<uint16_t> image;
    std::optional<std::vector<uint16_t>> text;
    std::optional<std::vector<uint16_t>> masked;
    TextEvidence evidence;
  };

  Commit(const Collection& collection, const Collection::State& state)
      : collection_(collection), state_(state), counts_(state.counts) {}

  void plan(const Batch& batch) {
    for (const std::string& path : batch.forgotten_skips) forget_skip(path);
    for (const Row row : batch.removed) remove(row);
    move(batch.moved);
    for (const auto& [row, file] : batch.copied) copy(row, file);
    for (const auto& [hash, file] : batch.restored) restore(hash, file);
    for (const NewPicture& picture : batch.added) add(picture);
    for (const SkippedFile& file : batch.skipped) skip(file);
    for (const FileStamp& file : batch.seen) identify(file);
    ++counts_.generation;
    if (!removed_.empty())
      writes_.put(row_key(codec::kRemovedPrefix, counts_.generation), codec::encode_rows(removed_));
    writes_.put(codec::kStateKey, codec::encode_state(counts_));
  }

  StoreBatch& writes() { return writes_; }
  const codec::State& counts() const { return counts_; }
  const std::vector<AddedRow>& added() const { return added_; }
  const std::vector<Row>& removed() const { return removed_; }

 private:
  // As it is after the changes planned so far.
  std::optional<Row> row_of(const std::string& path) const {
    const auto planned = paths_.find(path);
    return planned != paths_.end() ? planned->second : collection_.find_path(path);
  }
  PictureRecord record_of(Row row) const {
    const auto planned = records_.find(row);
    return planned != records_.end() ? planned->second : collection_.record(row);
  }
  bool is_gone(Row row) const {
    return gone_.contains(row) || (row < state_.counts.next_row && !collection_.is_live(row));
  }

  void expect_live(Row row) const {
    if (row >= counts_.next_row || is_gone(row)) {
      throw Error(ErrorCode::InvalidArgument, state_.directory.string(),
                  fmt::format("row {} is not live", row));
    }
  }

  void put_record(Row row, const PictureRecord& record) {
    writes_.put(row_key(codec::kRecordPrefix, row), codec::encode_record(record));
    records_[row] = record;
  }

  void identify(const FileStamp& file) {
    const std::string key = codec::path_key(codec::kIdentityPrefix, file.path);
    if (file.identity.is_known()) {
      writes_.put(key, codec::encode_identity(file.identity));
    } else {
      writes_.erase(key);
    }
  }

  void unmap(const std::string& path) {
    writes_.erase(codec::path_key(codec::kPathPrefix, path));
    writes_.erase(codec::path_key(codec::kIdentityPrefix, path));
    paths_[path] = std::nullopt;
  }

  // The path is this row's from now on; a row that had it goes.
  void map(const FileStamp& file, Row row) {
    const std::string& path = file.path;
    if (const auto old = row_of(path); old && *old != row) remove(*old);
    writes_.put(codec::path_key(codec::kPathPrefix, path), codec::encode_row(row));
    paths_[path] = row;
    forget_skip(path);
    identify(file);
  }

  bool has_skip(const std::string& path) const {
    const auto planned = skips_.find(path);
    return planned != skips_.end() ? planned->second : collection_.find_skip(path).has_value();
  }
  void forget_skip(const std::string& path) {
    if (!has_skip(path)) return;
    writes_.erase(codec::path_key(codec::kSkipPrefix, path));
    writes_.erase(codec::path_key(codec::kIdentityPrefix, path));
    skips_[path] = false;
    --counts_.skips;
  }

  void remove(Row row) {
    if (is_gone(row)) return;
    expect_live(row);
    const PictureRecord record = record_of(row);
    leave_behind(row, record);
    for (const std::string_view prefix : codec::kRowPrefixes) writes_.erase(row_key(prefix, row));
    writes_.erase(codec::content_key(record.content_hash, row));
    if (row_of(record.file.path) == row) unmap(record.file.path);
    gone_.insert(row);
    removed_.push_back(row);
    --counts_.live;
    if (record.word_count > 0) --counts_.with_text;
  }

  // Its parts stay until compaction, so that the picture can come back without being encoded. What
  // is damaged is not worth it.
  void leave_behind(Row row, const PictureRecord& record) {
    if (row >= state_.counts.next_row) return;  // of this very commit
    try {
      const std::span<const uint16_t> image = state_.rows.image.row(row);
      codec::GonePicture gone{record,       collection_.words(row), {image.begin(), image.end()},
                              std::nullopt, std::nullopt,           std::nullopt};
      if (const auto index = collection_.text_index(row)) {
        const std::span<const uint16_t> text = state_.rows.text.row(*index);
        gone.text.emplace(text.begin(), text.end());
        gone.masked = collection_.masked_vector(row);
      }
      const Marks marks = marks_of(row);
      gone.read_in = marks.read_in;
      gone.is_blank = marks.is_blank;
      writes_.put(codec::gone_key(record.content_hash), codec::encode_gone(gone));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::Corruption) throw;
    }
  }

  // What few rows have.
  struct Marks {
    std::optional<std::string> read_in;  // where it is not what the manifest says
    bool is_blank = false;
  };

  Marks marks_of(Row row) const {
    Marks marks;
    std::string languages = collection_.text_languages(row);
    if (languages != state_.manifest.ocr_languages) marks.read_in = std::move(languages);
    marks.is_blank = state_.store->get(row_key(codec::kBlankPrefix, row)).has_value();
    return marks;
  }

  void restore(const ContentHash& hash, const FileStamp& file) {
    const auto bytes = state_.store->get(codec::gone_key(hash));
    if (!bytes)
      throw Error(ErrorCode::InvalidArgument, file.path, "no removed picture has its content");
    const Manifest& manifest = state_.manifest;
    codec::GonePicture gone = codec::decode_gone(*bytes, manifest.dimension, manifest.mask_text);
    writes_.erase(codec::gone_key(hash));
    gone.record.file = file;
    append(gone.record, gone.words,
           {std::move(gone.image), std::move(gone.text), std::move(gone.masked), {}},
           {gone.read_in, gone.is_blank});
  }

  // All old names first, so that files may exchange theirs.
  void move(const std::vector<std::pair<Row, FileStamp>>& moves) {
    for (const auto& [row, file] : moves) {
      expect_live(row);
      const std::string old = record_of(row).file.path;
      if (row_of(old) == row) unmap(old);
    }
    for (const auto& [row, file] : moves) {
      PictureRecord record = record_of(row);
      record.file = file;
      put_record(row, record);
      map(file, row);
    }
  }

  // Vectors and words come from the store as it is before this commit.
  void copy(Row source, const FileStamp& file) {
    if (!collection_.is_live(source)) expect_live(source);
    PictureRecord record = collection_.record(source);
    record.file = file;
    const std::span<const uint16_t> image = state_.rows.image.row(source);
    AddedRow row{{image.begin(), image.end()}, std::nullopt, std::nullopt, {}};
    if (const auto index = collection_.text_index(source)) {
      const std::span<const uint16_t> text = state_.rows.text.row(*index);
      row.text.emplace(text.begin(), text.end());
      row.masked = collection_.masked_vector(source);
    }
    append(record, collection_.words(source), std::move(row), marks_of(source));
  }

  void add(const NewPicture& picture) {
    const uint32_t dimension = state_.manifest.dimension;
    const std::string& path = picture.record.file.path;
    AddedRow row{
        checked_halves(picture.image_vector, dimension, path), std::nullopt, std::nullopt, {}};
    if (!picture.text_vector.empty())
      row.text = checked_halves(picture.text_vector, dimension, path);
    if (row.text.has_value() != (picture.record.word_count > 0) ||
        picture.words.size() != picture.record.word_count) {
      throw Error(ErrorCode::InvalidArgument, path,
                  "its words and its text vector do not fit together");
    }
    if (!picture.masked_vector.empty())
      row.masked = checked_halves(picture.masked_vector, dimension, path);
    if (row.masked.has_value() != (state_.manifest.mask_text && row.text.has_value())) {
      throw Error(
          ErrorCode::InvalidArgument, path,
          "a masked vector belongs to each picture with text of a collection that masks it");
    }
    const bool as_told = !picture.read_in || *picture.read_in == state_.manifest.ocr_languages;
    append(picture.record, picture.words, std::move(row),
           {as_told ? std::nullopt : picture.read_in, picture.is_blank});
  }

  void append(const PictureRecord& record, const std::vector<Word>& words, AddedRow added,
              const Marks& marks) {
    const Row row = counts_.next_row++;
    put_record(row, record);
    writes_.put(row_key(codec::kImagePrefix, row), codec::encode_vector(added.image));
    if (added.text)
      writes_.put(row_key(codec::kTextPrefix, row), codec::encode_vector(*added.text));
    if (added.masked)
      writes_.put(row_key(codec::kMaskedPrefix, row), codec::encode_vector(*added.masked));
    writes_.put(row_key(codec::kWordsPrefix, row), codec::encode_words(words));
    if (marks.read_in)
      writes_.put(row_key(codec::kLanguagesPrefix, row), codec::encode_languages(*marks.read_in));
    if (marks.is_blank) writes_.put(row_key(codec::kBlankPrefix, row), "");
    writes_.put(codec::content_key(record.content_hash, row), "");
    ++counts_.live;
    if (record.word_count > 0) ++counts_.with_text;
    map(record.file, row);
    added.evidence = {record.word_count, std::clamp(record.text_confidence, 0.0f, 1.0f)};
    added_.push_back(std::move(added));
  }

  void skip(const SkippedFile& file) {
    if (const auto row = row_of(file.file.path)) remove(*row);
    if (!has_skip(file.file.path)) ++counts_.skips;
    writes_.put(codec::path_key(codec::kSkipPrefix, file.file.path), codec::encode_skip(file));
    skips_[file.file.path] = true;
    identify(file.file);
  }

  const Collection& collection_;
  const Collection::State& state_;
  codec::State counts_;
  StoreBatch writes_;
  std::unordered_map<std::string, std::optional<Row>> paths_;
  std::unordered_map<Row, PictureRecord> records_;
  std::unordered_map<std::string, bool> skips_;
  std::unordered_set<Row> gone_;
  std::vector<AddedRow> added_;
  std::vector<Row> removed_;
};

}  // namespace

CollectionWriter::CollectionWriter(std::unique_ptr<State> state) : Collection(std::move(state)) {}

bool CollectionWriter::would_create(const fs::path& directory) {
  switch (layout::kind_of(directory)) {
    case layout::Kind::Absent:
    case layout::Kind::Empty:
    case layout::Kind::Unfinished:
      return true;
    case layout::Kind::File:
    case layout::Kind::Foreign:
      return false;
    case layout::Kind::Collection:
      break;
  }
  if (fs::exists(directory / layout::kManifestFile)) return false;
  const layout::Current current = layout::read_current(directory);
  const Store store(layout::records_directory(directory, current.epoch), Store::Access::ReadOnly);
  const auto counts = store.get(codec::kStateKey);
  return counts && codec::decode_state(*counts).generation == 0;
}

CollectionWriter CollectionWriter::open_or_create(const fs::path& directory,
                                                  const Manifest& manifest,
                                                  const std::function<void()>& before) {
  if (!would_create(directory)) {
    layout::expect_collection(directory);
    check_same_model(layout::read_manifest(directory), manifest, directory);
    return open_existing(directory);
  }
  expect_outside_others(directory);
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) throw system_error(directory.string(), "make the folder", error.value());
  auto lock = std::make_unique<layout::WriterLock>(directory);
  if (would_create(directory)) {
    if (before) before();
    create(directory, manifest);
  }
  return CollectionWriter(open_state(directory, Store::Access::ReadWrite, std::move(lock)));
}

CollectionWriter CollectionWriter::open_existing(const fs::path& directory) {
  layout::expect_collection(directory);
  auto lock = std::make_unique<layout::WriterLock>(directory);
  CollectionWriter writer(open_state(directory, Store::Access::ReadWrite, std::move(lock)));
  layout::remove_leftovers(directory, writer.state_->current, writer.state_->manifest);
  return writer;
}

void CollectionWriter::commit(const Batch& batch) {
  State& state = *state_;
  if (state.broken) {
    throw Error(ErrorCode::Io, state.directory.string(), "an earlier commit failed",
                "run the command again");
  }
  Commit commit(*this, state);
  commit.plan(batch);
  state.broken = true;
  state.store->write(std::move(commit.writes()));
  for (const Commit::AddedRow& row : commit.added()) {
    state.rows.append(row.image,
                      row.text ? std::optional(RowText{*row.text, row.evidence}) : std::nullopt);
  }
  for (const Row row : commit.removed()) state.rows.remove(row);
  state.counts = commit.counts();
  state.changes_since_snapshot += commit.added().size() + commit.removed().size();
  state.broken = false;
}

void CollectionWriter::publish_snapshot(SnapshotWhen when, const SnapshotOptions& options) {
  constexpr uint64_t kWorthIt = 1000;  // changes; replaying fewer takes no time
  const State& state = *state_;
  const bool worth_it = state.changes_since_snapshot > kWorthIt + state.rows_in_snapshot / 8 ||
                        (!state.current.snapshot_generation && state.changes_since_snapshot > 0);
  if (when == SnapshotWhen::WorthIt && !worth_it) return;
  publish(options, IvfTraining::WhenDue);
}

void CollectionWriter::publish(const SnapshotOptions& options, IvfTraining training) {
  State& state = *state_;
  // A snapshot takes the place of nothing, also not of the one that counts.
  while (!layout::is_free_generation(state.directory, state.current.epoch, state.counts.generation))
    commit({});
  state.store->flush();
  const std::optional<uint64_t> previous = state.current.snapshot_generation;
  write_lexicon(state.directory, state.current, *state.store, state.counts.next_row,
                state.counts.generation);
  // Text vectors keep their places only while rows are taken over from the snapshot.
  if (state.rows_in_snapshot == 0) training = IvfTraining::Now;
  layout::Current next = state.current;
  next.ivf_generation = write_ivf(state.directory, state.current, state.rows,
                                  state.counts.generation, options, training);
  state.current = write_snapshot(state.directory, next, state.rows, state.counts.generation);
  // Readers that opened the previous snapshot just now still need the removals since then.
  if (previous && *previous > state.counts.pruned_to) {
    StoreBatch prune;
    state.store->for_each(codec::kRemovedPrefix, "", [&](std::string_view key, std::string_view) {
      if (codec::row_of_key(key) > *previous) return false;
      prune.erase(key);
      return true;
    });
    state.counts.pruned_to = *previous;
    prune.put(codec::kStateKey, codec::encode_state(state.counts));
    state.store->write(std::move(prune));
  }
  state.rows = read_snapshot(state.directory, state.current, state.manifest.dimension);
  state.rows_in_snapshot = state.rows.image.size();
  state.changes_since_snapshot = 0;
  layout::remove_leftovers(state.directory, state.current, state.manifest);
}

}  // namespace zeroshelf
