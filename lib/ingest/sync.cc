// Tested by tests/programs/sync_test.cc.

#include "lib/ingest/sync.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

#include "lib/ingest/pipeline.h"
#include "lib/ingest/prepare.h"
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
                  {options_.known_skips,
                   [this](const SkippedFile& file) { return is_worth_trying(file, options_); },
                   options_.find});
    report_.unchanged = plan.unchanged;
    report_.skipped = plan.known_skips;
    missing_ = std::move(plan.missing);
    observer_.planned(plan.work.size());

    for (SkippedPath& path : plan.unseen)
      tell({{std::move(path.path), 0, 0}, std::move(path.skip)});
    for (SkippedPath& path : plan.unusable)
      take(SkippedFile{{std::move(path.path), 0, 0}, std::move(path.skip)});
    batch_.forgotten_skips = std::move(plan.forgotten_skips);
    if (!plan.work.empty()) read_all(plan.work, std::move(plan.contents));
    if (!report_.interrupted) settle_doubles();
    commit();
    if (!report_.interrupted && options_.missing_files == MissingFiles::Remove) remove_missing();
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
        [&known](const ContentHash& hash) { return known.claim(hash); }, times_);
    while (!pipeline.empty() && !stop_) {
      if (std::optional<Result> result = pipeline.pop(kPatience)) take_next(std::move(*result));
      observer_.working(times_);
    }
    report_.interrupted = stop_;
  }

  unsigned threads() const { return options_.threads == 0 ? available_cores() : options_.threads; }

  PrepareOptions prepare_options() const {
    return {options_.limits, encoder_->info().preprocessing.size_px, options_.mask_text};
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

  void take(KnownContent known) {
    const FileStamp stamp{known.file.path, known.file.size_bytes, known.file.mtime_ns};
    if (const auto row = collection_.find_path(stamp.path);
        row && collection_.record(*row).content_hash == known.hash) {
      move(*row, stamp);  // touched, not changed
    } else if (const auto gone = missing_.find(content_bytes(known.hash)); gone != missing_.end()) {
      move(gone->second, stamp);
      missing_.erase(gone);
    } else {
      doubles_.push_back(std::move(known));
    }
  }

  void move(Row row, const FileStamp& stamp) {
    batch_.moved.emplace_back(row, stamp);
    ++report_.moved;
  }

  // Files with the content of another file. That one is committed by now, or could not be decoded;
  // then this one is read like any other, and gets a reason of its own.
  void settle_doubles() {
    if (doubles_.empty()) return;
    commit();
    std::shared_ptr<TextReader> reader;
    for (const KnownContent& known : doubles_) {
      if (stop_) {
        report_.interrupted = true;
        return;
      }
      if (const auto row = collection_.find_content(known.hash)) {
        batch_.copied.emplace_back(
            *row, FileStamp{known.file.path, known.file.size_bytes, known.file.mtime_ns});
        ++report_.copied;
        if (batch_.copied.size() >= kMaxCopiesABatch) commit();
      } else {
        if (!reader) reader = make_reader();
        take_alone(known.file, reader.get());
        // A picture must be there for its next double; one that is skipped can wait for more.
        if (!batch_.added.empty() || batch_.skipped.size() >= kMaxSkipsABatch) commit();
      }
    }
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
  }

  void remove_missing() {
    for (const auto& [content, row] : missing_) batch_.removed.push_back(row);
    report_.removed = batch_.removed.size();
    commit();
  }

  static constexpr size_t kMaxSkipsABatch = 1000;
  static constexpr size_t kMaxCopiesABatch = 1000;

  CollectionWriter& collection_;
  const SyncOptions& options_;
  const std::function<Encoder&()>& make_encoder_;
  SyncObserver& observer_;
  const std::atomic<bool>& stop_;
  Encoder* encoder_ = nullptr;
  std::unordered_multimap<std::string, Row> missing_;
  std::vector<KnownContent> doubles_;
  Batch batch_;
  StageTimes times_;
  SyncReport report_;
};

}  // namespace

SyncReport sync(CollectionWriter& collection, const std::vector<std::filesystem::path>& roots,
                const SyncOptions& options, const std::function<Encoder&()>& encoder,
                SyncObserver& observer, const std::atomic<bool>& stop) {
  return Synchroniser(collection, options, encoder, observer, stop).run(roots);
}

}  // namespace zeroshelf
