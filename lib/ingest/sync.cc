// Tested by tests/ingest/sync_test.cc.

#include "lib/ingest/sync.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <variant>

#include "lib/ingest/pipeline.h"
#include "lib/ingest/prepare.h"
#include "lib/util/content_hasher.h"
#include "lib/util/parallel.h"

namespace zeroshelf {
namespace {

// The contents that are in the collection or on their way there.
// Threads: any.
class ContentRegister {
 public:
  explicit ContentRegister(std::unordered_set<std::string> contents)
      : contents_(std::move(contents)) {}

  // Whether it was registered before; it is afterwards.
  bool claim(const ContentHash& hash) {
    const std::lock_guard lock(mutex_);
    return !contents_.insert(content_bytes(hash)).second;
  }

 private:
  std::mutex mutex_;
  std::unordered_set<std::string> contents_;
};

// Whether the reason for which a file was skipped may be gone, though the file has not changed.
bool is_worth_trying(const SkippedFile& file, const SyncOptions& options) {
  switch (file.skip.reason) {
    case SkipReason::Vanished:
    case SkipReason::Changed:
      return true;
    case SkipReason::Unreadable:
      return ::faccessat(AT_FDCWD, file.file.path.c_str(), R_OK, AT_EACCESS) == 0;
    case SkipReason::TooManyBytes:
      return file.file.size_bytes <= options.limits.max_bytes;
    case SkipReason::TooManyPixels:  // how many is not known
      return options.limits.max_pixels > DecodeLimits{}.max_pixels;
    case SkipReason::TextUnreadable:
      return options.ocr.languages.empty() ||
             options.ocr.timeout_ms > TextReaderOptions{}.timeout_ms;
    default:
      return false;
  }
}

bool is_gone(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

FileStamp stamp_of(const FoundFile& file) {
  return {file.path, file.size_bytes, file.mtime_ns, file.identity};
}

constexpr std::chrono::milliseconds kPatience{100};  // between two looks at the stop flag

class Synchroniser {
 public:
  Synchroniser(CollectionWriter& collection, const SyncOptions& options,
               const std::function<Encoder&()>& encoder, SyncObserver& observer,
               const std::atomic<bool>& stop)
      : collection_(collection),
        options_(options),
        make_encoder_(encoder),
        observer_(observer),
        stop_(stop) {}

  SyncReport run(const std::vector<std::filesystem::path>& roots) {
    SyncPlan plan =
        make_plan(collection_, roots,
                  {options_.known_skips, options_.known_files,
                   [this](const SkippedFile& file) { return is_worth_trying(file, options_); },
                   options_.ocr.languages, options_.find, options_.is_being_written});
    report_.unchanged = plan.unchanged;
    report_.skipped = plan.known_skips;
    report_.neighbours = plan.neighbours;
    missing_ = std::move(plan.missing);
    places_ = std::move(plan.places);
    place_of_ = std::move(plan.place_of);
    observer_.planned(plan.work.size());

    for (SkippedPath& path : plan.unseen)
      tell({{std::move(path.path), 0, 0, {}}, std::move(path.skip)});
    for (SkippedPath& path : plan.unusable)
      take(SkippedFile{{std::move(path.path), 0, 0, {}}, std::move(path.skip)});
    note_identities(plan.seen);
    if (!plan.work.empty()) read_all(plan.work, std::move(plan.contents));
    if (!report_.interrupted) take_duplicates();
    commit();
    if (!report_.interrupted) remove_missing(std::move(plan.forgotten_skips));
    collection_.publish_snapshot();
    report_.stage_seconds = times_.seconds();
    return report_;
  }

 private:
  void read_all(const std::vector<FoundFile>& files, std::unordered_set<std::string> contents) {
    encoder_ = &make_encoder_();
    ContentRegister known(std::move(contents));
    Pipeline pipeline(
        files, *encoder_, pipeline_options(),
        [&](const ContentHash& hash) {
          return known.claim(hash) || collection_.can_restore(hash, options_.ocr.languages);
        },
        times_);
    while (!pipeline.empty() && !stop_) {
      if (std::optional<Result> result = pipeline.pop(kPatience)) take_next(std::move(*result));
      observer_.working(times_);
    }
    report_.interrupted = stop_;
  }

  unsigned threads() const { return options_.threads == 0 ? available_cores() : options_.threads; }

  PrepareOptions prepare_options() const {
    return {options_.limits, encoder_->info().preprocessing, options_.mask_text,
            options_.known_texts, !collection_.manifest().ocr_languages.empty()};
  }

  std::shared_ptr<TextReader> make_reader() const {
    if (options_.ocr.languages.empty()) return nullptr;
    return std::make_shared<TextReader>(options_.ocr);
  }

  PipelineOptions pipeline_options() const {
    PipelineOptions pipeline;
    pipeline.prepare = prepare_options();
    pipeline.ocr = options_.ocr;
    pipeline.threads = threads();
    pipeline.window = std::max(pipeline.window, 2 * options_.batch_pictures);
    pipeline.memory_bytes = options_.memory_bytes;
    return pipeline;
  }

  void take_next(Result result) {
    observer_.read_one();
    std::visit([this](auto& one) { take(std::move(one)); }, result);
    if (batch_.added.size() >= options_.batch_pictures || batch_.skipped.size() >= kMaxSkipsABatch)
      commit();
  }

  void take(NewPicture picture) {
    picture.read_in = options_.ocr.languages;
    if (!picture.words.empty()) ++report_.with_text;
    batch_.added.push_back(std::move(picture));
  }

  void tell(const SkippedFile& file) {
    observer_.skipped(file);
    ++report_.skipped;
  }

  void take(SkippedFile file) {
    tell(file);
    batch_.skipped.push_back(std::move(file));
  }

  // Whether the row's text is read as it shall be.
  bool is_read(Row row) const {
    const std::string& languages = options_.ocr.languages;
    return languages.empty() || collection_.text_languages(row) == languages;
  }

  void take(KnownContent known) {
    const FileStamp stamp = stamp_of(known.file);
    if (const auto row = collection_.find_path(stamp.path); row && is_read(*row)) {
      const PictureRecord record = collection_.record(*row);
      if (record.content_hash == known.hash) return keep(*row, record.file, stamp);
    }
    const auto [begin, end] = missing_.equal_range(content_bytes(known.hash));
    const auto gone =
        std::find_if(begin, end, [&](const auto& one) { return is_read(one.second); });
    if (gone != end) {
      move(gone->second, stamp);
      missing_.erase(gone);
    } else {
      duplicates_.push_back(std::move(known));
    }
  }

  // The path has the content that it had: touched at most.
  void keep(Row row, const FileStamp& known, const FileStamp& stamp) {
    if (known.size_bytes != stamp.size_bytes || known.mtime_ns != stamp.mtime_ns)
      return move(row, stamp);
    ++report_.unchanged;
    batch_.seen.push_back(stamp);
    if (batch_.seen.size() >= kMaxStampsABatch) commit();
  }

  void move(Row row, const FileStamp& stamp) {
    batch_.moved.emplace_back(row, stamp);
    moved_.insert(row);
    ++report_.moved;
  }

  // Files with the content of another file. That one is committed by now, or could not be decoded;
  // then this one is read like any other, and gets a reason of its own.
  void take_duplicates() {
    if (duplicates_.empty()) return;
    commit();
    std::shared_ptr<TextReader> reader;
    for (const KnownContent& known : duplicates_) {
      if (stop_) {
        report_.interrupted = true;
        return;
      }
      if (restoring_.contains(content_bytes(known.hash))) commit();
      if (take_duplicate(known)) continue;
      if (!reader) reader = make_reader();
      take_alone(known.file, reader.get());
      // A picture must be there for its next duplicate; one that is skipped can wait for more.
      if (!batch_.added.empty() || batch_.skipped.size() >= kMaxSkipsABatch) commit();
    }
  }

  // The pictures of one content that are read as they shall be: one of them, and those whose file
  // is gone. Looked for once a content, since a picture may have thousands of copies.
  struct Originals {
    Row source = 0;
    std::vector<Row> gone;  // the next one to take up last
  };

  // Null when no picture has the content.
  Originals* originals_of(const ContentHash& hash) {
    const std::string content = content_bytes(hash);
    if (const auto known = originals_.find(content); known != originals_.end())
      return &known->second;
    std::vector<Row> rows = collection_.find_contents(hash);
    std::erase_if(rows, [&](Row row) { return !is_read(row); });
    if (rows.empty()) return nullptr;
    Originals originals{rows.front(), {}};
    std::ranges::reverse(rows);
    for (const Row row : rows) {
      if (!moved_.contains(row) && is_gone(collection_.record(row).file.path))
        originals.gone.push_back(row);
    }
    return &originals_.emplace(content, std::move(originals)).first->second;
  }

  // A copy of a picture whose file is gone is that picture, moved. False when no picture has the
  // content.
  bool take_duplicate(const KnownContent& known) {
    const FileStamp stamp = stamp_of(known.file);
    Originals* const originals = originals_of(known.hash);
    if (originals != nullptr && !originals->gone.empty()) {
      const Row row = originals->gone.back();
      originals->gone.pop_back();
      forget_missing(known.hash, row);
      move(row, stamp);
      if (batch_.moved.size() >= kMaxCopiesABatch) commit();
      return true;
    }
    if (originals != nullptr) {
      batch_.copied.emplace_back(originals->source, stamp);
      ++report_.copied;
    } else if (collection_.can_restore(known.hash, options_.ocr.languages)) {
      batch_.restored.emplace_back(known.hash, stamp);
      restoring_.insert(content_bytes(known.hash));
      ++report_.restored;
    } else {
      return false;
    }
    if (batch_.copied.size() + batch_.restored.size() >= kMaxCopiesABatch) commit();
    return true;
  }

  void forget_missing(const ContentHash& hash, Row row) {
    const auto [begin, end] = missing_.equal_range(content_bytes(hash));
    const auto found = std::find_if(begin, end, [&](const auto& one) { return one.second == row; });
    if (found != end) missing_.erase(found);
  }

  void take_alone(const FoundFile& file, TextReader* reader) {
    MemoryBudget memory(options_.memory_bytes);
    MemoryBudget::Lease lease(memory, 0);
    Prepared prepared = prepare(file, prepare_options(), reader,
                                [](const ContentHash&) { return false; }, {times_, lease});
    if (auto* skipped = std::get_if<SkippedFile>(&prepared)) return take(std::move(*skipped));
    std::vector<PreparedPicture> pictures;
    pictures.push_back(std::move(std::get<PreparedPicture>(prepared)));
    take(std::move(encode(*encoder_, std::move(pictures), times_).front()));
  }

  void commit() {
    if (batch_.empty()) return;
    {
      const StageTimer timer(times_, Stage::Commit);
      collection_.commit(batch_);
    }
    report_.added += batch_.added.size();
    observer_.committed(batch_.added.size());
    batch_ = {};
    restoring_.clear();
  }

  void note_identities(std::vector<FileStamp>& files) {
    for (FileStamp& file : files) {
      batch_.seen.push_back(std::move(file));
      if (batch_.seen.size() >= kMaxStampsABatch) commit();
    }
  }

  // The places whose pictures are not believed to be gone for good.
  std::vector<bool> doubtful_places() {
    std::vector<uint64_t> gone(places_.size());
    for (const auto& [content, row] : missing_) ++gone[place_of_.at(row)];
    std::vector<bool> doubtful(places_.size());
    if (options_.missing_files != MissingFiles::Remove) return doubtful;
    for (size_t i = 0; i < places_.size(); ++i) {
      const bool most = 2 * gone[i] > places_[i].pictures;
      if (gone[i] == 0 || !(most || places_[i].state == RootPlace::State::Unmounted)) continue;
      doubtful[i] = true;
      report_.doubtful.push_back({places_[i], gone[i]});
    }
    return doubtful;
  }

  void remove_missing(std::vector<std::pair<std::string, size_t>> forgotten_skips) {
    const std::vector<bool> doubtful = doubtful_places();
    for (auto& [path, place] : forgotten_skips) {
      if (!doubtful[place]) batch_.forgotten_skips.push_back(std::move(path));
    }
    if (options_.missing_files != MissingFiles::Keep) {
      for (const auto& [content, row] : missing_) {
        if (doubtful[place_of_.at(row)]) continue;
        batch_.removed.push_back(row);
        ++report_.removed;
        if (batch_.removed.size() >= kMaxRemovalsABatch) commit();
      }
    }
    commit();
  }

  static constexpr size_t kMaxSkipsABatch = 1000;
  static constexpr size_t kMaxCopiesABatch = 1000;
  static constexpr size_t kMaxStampsABatch = 10'000;
  static constexpr size_t kMaxRemovalsABatch = 10'000;  // each leaves its vectors behind

  CollectionWriter& collection_;
  const SyncOptions& options_;
  const std::function<Encoder&()>& make_encoder_;
  SyncObserver& observer_;
  const std::atomic<bool>& stop_;
  Encoder* encoder_ = nullptr;
  std::unordered_multimap<std::string, Row> missing_;
  std::vector<RootPlace> places_;
  std::unordered_map<Row, size_t> place_of_;   // of the missing
  std::unordered_set<Row> moved_;              // in this run
  std::unordered_set<std::string> restoring_;  // contents that the batch restores
  std::vector<KnownContent> duplicates_;
  std::unordered_map<std::string, Originals> originals_;  // by content
  Batch batch_;
  StageTimes times_;
  SyncReport report_;
};

}  // namespace

SyncReport sync(CollectionWriter& collection, const std::vector<std::filesystem::path>& roots,
                const SyncOptions& options, const std::function<Encoder&()>& encoder,
                SyncObserver& observer, const std::atomic<bool>& stop) {
  prepare_hashing();
  return Synchroniser(collection, options, encoder, observer, stop).run(roots);
}

}  // namespace zeroshelf
