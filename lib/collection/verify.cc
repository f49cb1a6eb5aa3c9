// Verify and repair. Tested by tests/collection.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <iterator>
#include <system_error>
#include <unordered_map>
#include <unordered_set>

#include "lib/collection/attachments.h"
#include "lib/collection/own_files.h"
#include "lib/collection/state.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using codec::row_key;

std::string row_subject(Row row) {
  return fmt::format("row {}", row);
}

// Empty when the stored bytes are a unit vector of the dimension.
std::string vector_fault(const std::optional<std::string>& bytes, uint32_t dimension) {
  if (!bytes) return "is missing";
  if (bytes->size() != dimension * sizeof(uint16_t)) return "has another dimension";
  std::vector<float> values(dimension);
  from_fp16(codec::decode_vector(*bytes, dimension), values);
  double square = 0;
  for (const float value : values) square += static_cast<double>(value) * value;
  if (!(std::abs(std::sqrt(square) - 1) < 1e-2)) return "has not unit length";
  return "";
}

// Everything that the truth says of each row, checked on the way.
class Audit {
 public:
  explicit Audit(const Store& store, const Manifest& manifest)
      : store_(store), dimension_(manifest.dimension), mask_text_(manifest.mask_text) {}

  void run() {
    scan_rows();
    scan_index();
    scan_rest();
  }

  const std::vector<Fault>& faults() const { return faults_; }
  // Rows of which something cannot be derived from the rest.
  const std::unordered_set<Row>& lost_rows() const { return lost_; }
  const std::unordered_map<Row, PictureRecord>& rows() const { return records_; }
  uint64_t with_text() const { return with_text_; }
  uint64_t skips() const { return skips_; }
  Row next_row() const { return next_row_; }
  // Keys that stand alone, point nowhere or cannot be read.
  const std::vector<std::string>& stray_keys() const { return stray_; }

 private:
  void fault(const std::string& subject, const std::string& cause) {
    faults_.push_back({subject, cause});
  }

  template <class Body>
  void scan(std::string_view prefix, const char* what, const Body& body) {
    store_.for_each_checked(
        prefix,
        [&](std::string_view key, std::string_view value) {
          try {
            body(key, value);
          } catch (const Error& error) {
            fault(fmt::format("{} {}", what, printable(key.substr(1))), error.cause());
            stray_.emplace_back(key);
          }
          return true;
        },
        [&](std::string_view key) {
          fault(fmt::format("{} {}", what, printable(key.substr(1))), "fails its checksum");
          stray_.emplace_back(key);
        });
  }

  std::optional<std::string> get(std::string_view prefix, Row row) {
    try {
      return store_.get(row_key(prefix, row));
    } catch (const Error&) {
      return std::nullopt;  // told by the scan of its prefix
    }
  }

  void scan_rows() {
    scan(codec::kRecordPrefix, "record", [&](std::string_view key, std::string_view value) {
      const Row row = codec::row_of_key(key);
      records_.emplace(row, codec::decode_record(value));
      next_row_ = std::max(next_row_, row + 1);
    });
    for (const auto& [row, record] : records_) check_row(row, record);
    for (const auto& kind :
         {std::pair(codec::kImagePrefix, "picture vector"),
          std::pair(codec::kTextPrefix, "text vector"),
          std::pair(codec::kMaskedPrefix, "masked vector"), std::pair(codec::kWordsPrefix, "words"),
          std::pair(codec::kLanguagesPrefix, "languages"),
          std::pair(codec::kBlankPrefix, "mark of a blank picture")}) {
      const char* const what = kind.second;
      scan(kind.first, what, [&](std::string_view key, std::string_view value) {
        if (key.starts_with(codec::kLanguagesPrefix)) codec::decode_languages(value);
        const Row row = codec::row_of_key(key);
        next_row_ = std::max(next_row_, row + 1);
        if (records_.contains(row)) return;
        fault(row_subject(row), fmt::format("has a {} and no record", what));
        stray_.emplace_back(key);
      });
    }
  }

  void check_row(Row row, const PictureRecord& record) {
    const auto lose = [&](const std::string& cause) {
      fault(row_subject(row), cause);
      lost_.insert(row);
    };
    if (const std::string cause = vector_fault(get(codec::kImagePrefix, row), dimension_);
        !cause.empty()) {
      lose("its picture vector " + cause);
    }
    const auto text = get(codec::kTextPrefix, row);
    if (record.word_count > 0) {
      ++with_text_;
      if (const std::string cause = vector_fault(text, dimension_); !cause.empty())
        lose("its text vector " + cause);
    } else if (text) {
      lose("it has a text vector and no words");
    }
    const auto masked = get(codec::kMaskedPrefix, row);
    if (record.word_count > 0 && mask_text_) {
      if (const std::string cause = vector_fault(masked, dimension_); !cause.empty())
        lose("its masked vector " + cause);
    } else if (masked) {
      lose("it has a masked vector and nothing to mask");
    }
    const auto words = get(codec::kWordsPrefix, row);
    if (!words) {
      lose("its words are missing");
    } else if (codec::decode_words(*words).size() != record.word_count) {
      lose("its words are not as many as its record says");
    }
  }

  void scan_index() {
    std::unordered_map<Row, int> paths;
    scan(codec::kPathPrefix, "path", [&](std::string_view key, std::string_view value) {
      const auto record = records_.find(codec::decode_row(value));
      if (record != records_.end() && record->second.file.path == key.substr(1)) {
        ++paths[record->first];
        return;
      }
      fault("path " + printable(key.substr(1)), "points to a row that is not its own");
      stray_.emplace_back(key);
    });
    std::unordered_map<Row, int> contents;
    scan(codec::kContentPrefix, "content", [&](std::string_view key, std::string_view) {
      const Row row = codec::row_of_content_key(key);
      const auto record = records_.find(row);
      if (record != records_.end() && codec::content_key(record->second.content_hash, row) == key) {
        ++contents[row];
        return;
      }
      fault("content index", fmt::format("names row {}, which has other content", row));
      stray_.emplace_back(key);
    });
    for (const auto& [row, record] : records_) {
      if (paths[row] != 1)
        fault(row_subject(row), "is not found by its path " + printable(record.file.path));
      if (contents[row] != 1) fault(row_subject(row), "is not found by its content");
    }
  }

  void scan_rest() {
    scan(codec::kSkipPrefix, "skip", [&](std::string_view key, std::string_view value) {
      codec::decode_skip(key.substr(1), value);
      ++skips_;
    });
    // Identities of removed paths, too: an earlier version of zeroshelf leaves them.
    scan(codec::kIdentityPrefix, "identity",
         [&](std::string_view, std::string_view value) { codec::decode_identity(value); });
    scan(codec::kGonePrefix, "removed picture", [&](std::string_view key, std::string_view value) {
      const auto gone = codec::decode_gone(value, dimension_, mask_text_);
      if (codec::gone_key(gone.record.content_hash) != key)
        throw Error(ErrorCode::Corruption, "", "stands under another content");
    });
    scan(codec::kRemovedPrefix, "removals", [&](std::string_view, std::string_view value) {
      for (const Row row : codec::decode_rows(value)) {
        next_row_ = std::max(next_row_, row + 1);
        if (records_.contains(row)) fault(row_subject(row), "is removed and still there");
      }
    });
  }

  const Store& store_;
  uint32_t dimension_;
  bool mask_text_;
  std::vector<Fault> faults_;
  std::unordered_map<Row, PictureRecord> records_;
  std::unordered_set<Row> lost_;
  std::vector<std::string> stray_;
  uint64_t with_text_ = 0;
  uint64_t skips_ = 0;
  Row next_row_ = 0;
};

bool same_vector(const VectorRows& a, size_t i, const VectorRows& b, size_t j) {
  return std::memcmp(a.row(i).data(), b.row(j).data(), a.dimension() * sizeof(uint16_t)) == 0;
}

// Snapshot and replay against the truth, live row by live row.
void compare_rows(const RowTable& opened, const RowTable& truth, std::vector<Fault>& faults) {
  if (opened.image.size() != truth.image.size()) {
    faults.push_back({"snapshot", "has another number of rows than the records"});
    return;
  }
  size_t text = 0;
  for (Row row = 0; row < truth.image.size(); ++row) {
    if (opened.removed[row] != truth.removed[row]) {
      faults.push_back(
          {"snapshot", fmt::format("row {} is live in one and removed in the other", row)});
      continue;
    }
    if (truth.removed[row]) continue;
    if (!same_vector(opened.image, row, truth.image, row)) {
      faults.push_back(
          {"snapshot", fmt::format("row {} has another picture vector than the records", row)});
    }
    while (text < opened.text_owners.size() && opened.text_owners[text] < row) ++text;
    const auto owner = std::lower_bound(truth.text_owners.begin(), truth.text_owners.end(), row);
    const bool in_truth = owner != truth.text_owners.end() && *owner == row;
    const bool in_opened = text < opened.text_owners.size() && opened.text_owners[text] == row;
    if (in_truth != in_opened ||
        (in_truth && !same_vector(opened.text, text, truth.text,
                                  static_cast<size_t>(owner - truth.text_owners.begin())))) {
      faults.push_back(
          {"snapshot", fmt::format("row {} has another text vector than the records", row)});
    } else if (in_truth &&
               opened.text_evidence[text] !=
                   truth.text_evidence[static_cast<size_t>(owner - truth.text_owners.begin())]) {
      faults.push_back({"snapshot", fmt::format("row {} has other words than the records", row)});
    }
  }
  if (opened.image_sum != truth.image_sum || opened.text_sum != truth.text_sum)
    faults.push_back({"snapshot", "its sums are not those of the vectors"});
}

void check_snapshot_files(const fs::path& directory, const layout::Current& current,
                          uint32_t dimension, std::vector<Fault>& faults) {
  if (!current.snapshot_generation) return;
  for (const auto& [kind, seal] :
       {std::pair("image", current.image), std::pair("text", current.text),
        std::pair("rows", current.rows)}) {
    const fs::path path =
        layout::snapshot_file(directory, kind, current.epoch, *current.snapshot_generation);
    try {
      const layout::FileSeal found = layout::seal_file(path);
      if (found.bytes != seal.bytes || found.checksum != seal.checksum) {
        faults.push_back({path.string(), "fails its checksum"});
      }
    } catch (const Error& error) {
      faults.push_back({path.string(), error.cause()});
    }
  }
  try {
    read_snapshot(directory, current, dimension);
  } catch (const Error& error) {
    faults.push_back({error.subject(), error.cause()});
  }
}

codec::State audited_counts(const Audit& audit, codec::State counts) {
  counts.next_row = std::max(counts.next_row, audit.next_row());
  counts.live = audit.rows().size();
  counts.with_text = audit.with_text();
  counts.skips = audit.skips();
  return counts;
}

// --- repair -------------------------------------------------------------------------------------

bool has_state(const fs::path& records) {
  try {
    return Store(records, Store::Access::ReadOnly).get(codec::kStateKey).has_value();
  } catch (const Error&) {
    return false;
  }
}

uint64_t bytes_in(const fs::path& records) {
  uint64_t bytes = 0;
  std::error_code error;
  for (fs::directory_iterator it(records, error), end; !error && it != end; it.increment(error)) {
    std::error_code gone;
    if (it->is_regular_file(gone)) bytes += it->file_size(gone);
  }
  return bytes;
}

// Records that are marked as this collection's before others, those that are complete before those
// that must be salvaged, then the newest, or the largest of those to be salvaged. Nothing where
// there are none.
std::optional<uint64_t> best_epoch(const fs::path& directory) {
  std::string owner;
  try {
    owner = layout::records_owner(layout::read_manifest(directory));
  } catch (const Error&) {
    // Then every mark counts.
  }
  std::optional<uint64_t> best;
  std::array<uint64_t, 3> best_rank{};
  for (const uint64_t epoch : layout::epochs_on_disk(directory)) {
    const fs::path records = layout::records_directory(directory, epoch);
    const auto mark = layout::read_records_mark(directory, epoch);
    const bool is_ours = mark && (owner.empty() || *mark == owner);
    const bool is_complete = has_state(records);
    const std::array<uint64_t, 3> rank = {is_ours, is_complete,
                                          is_complete ? epoch : bytes_in(records)};
    if (best && rank < best_rank) continue;
    best = epoch;
    best_rank = rank;
  }
  return best;
}

layout::Current usable_current(const fs::path& directory, RepairReport& report) {
  try {
    return layout::read_current(directory);
  } catch (const Error&) {
    // Made again below.
  }
  const std::optional<uint64_t> epoch = best_epoch(directory);
  if (!epoch) {
    throw Error(ErrorCode::Corruption, directory.string(), "it has no records",
                "index the pictures again into a new collection");
  }
  layout::Current current;  // to be written with the snapshot, when the records could be opened
  current.epoch = *epoch;
  report.mended.push_back(
      fmt::format("{}: made again, for epoch {}", layout::kCurrentFile, *epoch));
  return current;
}

// Each has a copy of the other.
Manifest usable_manifest(const fs::path& directory, Store& store, RepairReport& report) {
  std::optional<Manifest> written;
  try {
    written = layout::read_manifest(directory);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::Incompatible) throw;
  }
  std::optional<Manifest> stored;
  try {
    if (const auto text = store.get(codec::kManifestKey)) {
      if (written && *text == layout::encode_manifest(*written)) return *written;
      stored = layout::decode_manifest(*text, "manifest in the records");
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::Corruption) throw;
  }
  if (stored) {
    layout::write_manifest(directory, *stored);
    report.mended.push_back(fmt::format("{}: made again from the records", layout::kManifestFile));
    return *stored;
  }
  if (!written) {
    throw Error(ErrorCode::Corruption, directory.string(), "its manifest is lost",
                "index the pictures again into a new collection");
  }
  StoreBatch batch;
  batch.put(codec::kManifestKey, layout::encode_manifest(*written));
  store.write(std::move(batch));
  report.mended.push_back(
      fmt::format("manifest in the records: made again from {}", layout::kManifestFile));
  return *written;
}

Store usable_store(const fs::path& records, RepairReport& report) {
  try {
    Store store(records, Store::Access::ReadWrite);
    store.verify_files();
    return store;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::Corruption) throw;
  }
  Store::salvage(records);
  report.mended.push_back(records.filename().string() + ": salvaged what could be read");
  return Store(records, Store::Access::ReadWrite);
}

// Rows that lost a part are removed, so that the next add reads their files again; then the indexes
// are written anew.
void mend_truth(Store& store, const Manifest& manifest, const layout::Current& current,
                RepairReport& report) {
  Audit audit(store, manifest);
  audit.run();
  std::optional<codec::State> stored;
  try {
    if (const auto bytes = store.get(codec::kStateKey)) stored = codec::decode_state(*bytes);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::Corruption) throw;
  }
  codec::State counts = stored.value_or(codec::State{});
  if (stored && audit.faults().empty() && audited_counts(audit, counts) == counts) return;
  if (!stored) {
    // How many commits there were only CURRENT still says.
    counts.generation = std::max(current.commits, current.snapshot_generation.value_or(0));
    report.mended.emplace_back("state: counted again");
    report.lost.push_back(
        {"state",
         "how many commits there were is not known; run zeroshelf-index add to read again "
         "what may be missing"});
  }

  StoreBatch batch;
  for (const std::string& key : audit.stray_keys()) batch.erase(key);
  std::vector<Row> removed;
  codec::State mended = audited_counts(audit, counts);
  for (const auto& [row, record] : audit.rows()) {
    if (audit.lost_rows().contains(row)) {
      for (const std::string_view prefix : codec::kRowPrefixes) batch.erase(row_key(prefix, row));
      batch.erase(codec::path_key(codec::kPathPrefix, record.file.path));
      batch.erase(codec::content_key(record.content_hash, row));
      removed.push_back(row);
      --mended.live;
      if (record.word_count > 0) --mended.with_text;
      report.lost.push_back(
          {record.file.path, "its row was damaged; run zeroshelf-index add to read it again"});
    } else {
      batch.put(codec::path_key(codec::kPathPrefix, record.file.path), codec::encode_row(row));
      batch.put(codec::content_key(record.content_hash, row), "");
    }
  }
  for (const Fault& fault : audit.faults())
    report.mended.push_back(fault.subject + ": " + fault.cause);
  ++mended.generation;
  if (!removed.empty())
    batch.put(row_key(codec::kRemovedPrefix, mended.generation), codec::encode_rows(removed));
  batch.put(codec::kStateKey, codec::encode_state(mended));
  store.write(std::move(batch));
}

// A generation whose snapshot takes the place of nothing.
void take_free_generation(const fs::path& directory, uint64_t epoch, Store& store,
                          codec::State& counts) {
  const uint64_t before = counts.generation;
  while (!layout::is_free_generation(directory, epoch, counts.generation)) ++counts.generation;
  if (counts.generation == before) return;
  StoreBatch batch;
  batch.put(codec::kStateKey, codec::encode_state(counts));
  store.write(std::move(batch));
  store.flush();
}

// Calls visit with the kind, the name and the cause of each damaged one.
template <class Visit>
void for_each_damaged_attachment(const Attachments& attachments, const Visit& visit) {
  for (const std::string& kind : attachments.kinds()) {
    for (const std::string& name : attachments.names(kind)) {
      try {
        attachments.get(kind, name);
      } catch (const Error& error) {
        if (error.code() != ErrorCode::Corruption) throw;
        visit(kind, name, error.cause());
      }
    }
  }
}

void put_damaged_attachments_aside(const fs::path& directory, RepairReport& report) {
  const Attachments attachments(directory);
  for_each_damaged_attachment(
      attachments, [&](const std::string& kind, const std::string& name, const std::string&) {
        const std::string aside = attachments.put_aside(kind, name);
        report.lost.push_back(
            {fmt::format("{}/{}", kind, name),
             aside.empty() ? "it does not begin as one of ours and stays where it is; move it away"
                           : "it was damaged and is put aside as " + aside + "; make it again"});
      });
}

}  // namespace

std::vector<Fault> verify_collection(const fs::path& directory) {
  const auto state = open_state(directory, Store::Access::ReadOnly, nullptr);
  std::vector<Fault> faults;
  try {
    state->store->verify_files();
  } catch (const Error& error) {
    faults.push_back({error.subject(), error.cause()});
  }
  Audit audit(*state->store, state->manifest);
  audit.run();
  faults.insert(faults.end(), audit.faults().begin(), audit.faults().end());
  if (audited_counts(audit, state->counts) != state->counts) {
    faults.push_back({"state", "its counts are not those of the records"});
  }
  check_snapshot_files(directory, state->current, state->manifest.dimension, faults);
  if (faults.empty()) {
    faults = lexicon_faults(directory, state->current, *state->store);
    std::ranges::move(ivf_faults(directory, state->current, state->manifest.dimension),
                      std::back_inserter(faults));
    compare_rows(state->rows,
                 rows_from_truth(*state->store, state->counts, state->manifest.dimension), faults);
  }
  for_each_damaged_attachment(
      Attachments(directory),
      [&](const std::string& kind, const std::string& name, const std::string& cause) {
        faults.push_back({fmt::format("{}/{}", kind, name), cause});
      });
  return faults;
}

RepairReport repair_collection(const fs::path& directory, const SnapshotOptions& options) {
  layout::expect_collection(directory);
  RepairReport report;
  auto lock = std::make_unique<layout::WriterLock>(directory);
  layout::Current current = usable_current(directory, report);
  Manifest repaired_manifest;
  {
    Store store = usable_store(layout::records_directory(directory, current.epoch), report);
    const Manifest manifest = usable_manifest(directory, store, report);
    repaired_manifest = manifest;
    mend_truth(store, manifest, current, report);
    store.flush();
    std::vector<Fault> snapshot_faults;
    check_snapshot_files(directory, current, manifest.dimension, snapshot_faults);
    std::ranges::move(lexicon_faults(directory, current, store),
                      std::back_inserter(snapshot_faults));
    std::ranges::move(ivf_faults(directory, current, manifest.dimension),
                      std::back_inserter(snapshot_faults));
    for (const Fault& fault : snapshot_faults)
      report.mended.push_back(fault.subject + ": " + fault.cause);
    codec::State counts = codec::decode_state(*store.get(codec::kStateKey));
    if (counts.generation < current.commits) {
      report.lost.push_back(
          {layout::records_directory(directory, current.epoch).string(),
           fmt::format(
               "{} of {} commits are gone; run zeroshelf-index add to read their files again",
               current.commits - counts.generation, current.commits)});
    }
    if (!snapshot_faults.empty() || !report.mended.empty() || !report.lost.empty()) {
      take_free_generation(directory, current.epoch, store, counts);
      write_lexicon(directory, current, store, counts.next_row, counts.generation);
      const RowTable rows = rows_from_truth(store, counts, manifest.dimension);
      current.ivf_generation =
          write_ivf(directory, current, rows, counts.generation, options, IvfTraining::Now);
      current = write_snapshot(directory, current, rows, counts.generation);
    }
  }
  layout::remove_leftovers(directory, current, repaired_manifest);
  put_damaged_attachments_aside(directory, report);
  return report;
}

}  // namespace zeroshelf
