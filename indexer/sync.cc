// Tested by tests/programs/sync_test.cc.

#include "indexer/sync.h"

#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

#include "indexer/prepare.h"
#include "lib/util/ordered_workers.h"
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
    return !contents_.insert(content_key(hash)).second;
  }

 private:
  std::mutex mutex_;
  std::unordered_set<std::string> contents_;
};

using Workers = OrderedWorkers<FoundFile, Prepared>;

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
    SyncPlan plan = make_plan(collection_, roots, options_.known_skips, options_.bad_roots);
    report_.unchanged = plan.unchanged;
    report_.skipped = plan.known_skips;
    missing_ = std::move(plan.missing);
    observer_.planned(plan.work.size());

    for (SkippedPath& path : plan.unusable)
      take(SkippedFile{{std::move(path.path), 0, 0}, std::move(path.skip)});
    batch_.forgotten_skips = std::move(plan.forgotten_skips);
    if (!plan.work.empty()) read_all(plan.work, std::move(plan.contents));
    if (!report_.interrupted) settle_doubles();
    commit();
    if (!report_.interrupted && options_.missing_files == MissingFiles::Remove) remove_missing();
    collection_.publish_snapshot();
    return report_;
  }

 private:
  void read_all(const std::vector<FoundFile>& files, std::unordered_set<std::string> contents) {
    encoder_ = &make_encoder_();
    ContentRegister known(std::move(contents));
    Workers workers(make_workers(known), window());
    for (const FoundFile& file : files) {
      if (stop_) break;
      if (workers.full()) take_next(workers);
      workers.push(file);
    }
    while (!workers.empty() && !stop_) take_next(workers);
    report_.interrupted = stop_;
  }

  // Enough to keep the threads busy while a batch is encoded and committed.
  size_t window() const { return options_.batch_pictures + 2 * threads(); }
  unsigned threads() const { return options_.threads == 0 ? available_cores() : options_.threads; }

  PrepareOptions prepare_options() const {
    return {options_.limits, encoder_->info().preprocessing.size_px, options_.mask_text};
  }

  std::shared_ptr<TextReader> make_reader() const {
    if (options_.ocr_languages.empty()) return nullptr;
    return std::make_shared<TextReader>(TextReaderOptions{options_.ocr_languages});
  }

  std::vector<Workers::Work> make_workers(ContentRegister& known) const {
    std::vector<Workers::Work> workers;
    for (unsigned i = 0; i < threads(); ++i) {
      workers.emplace_back(
          [&known, options = prepare_options(), reader = make_reader()](const FoundFile& file) {
            return prepare(file, options, reader.get(),
                           [&](const ContentHash& hash) { return known.claim(hash); });
          });
    }
    return workers;
  }

  void take_next(Workers& workers) {
    Prepared prepared = workers.pop();
    observer_.read_one();
    std::visit([this](auto& result) { take(std::move(result)); }, prepared);
    if (pictures_.size() >= options_.batch_pictures || batch_.skipped.size() >= kMaxSkipsABatch)
      commit();
  }

  void take(PreparedPicture picture) { pictures_.push_back(std::move(picture)); }

  void take(SkippedFile file) {
    observer_.skipped(file);
    ++report_.skipped;
    batch_.skipped.push_back(std::move(file));
  }

  void take(KnownContent known) {
    const FileStamp stamp{known.file.path, known.file.size_bytes, known.file.mtime_ns};
    if (const auto row = collection_.find_path(stamp.path);
        row && collection_.record(*row).content_hash == known.hash) {
      move(*row, stamp);  // touched, not changed
    } else if (const auto gone = missing_.find(content_key(known.hash)); gone != missing_.end()) {
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
      if (const auto row = collection_.find_content(known.hash)) {
        batch_.copied.emplace_back(
            *row, FileStamp{known.file.path, known.file.size_bytes, known.file.mtime_ns});
        ++report_.copied;
        if (batch_.copied.size() >= kMaxCopiesABatch) commit();
      } else {
        if (!reader) reader = make_reader();
        Prepared prepared = prepare(known.file, prepare_options(), reader.get(),
                                    [](const ContentHash&) { return false; });
        std::visit([this](auto& result) { take(std::move(result)); }, prepared);
        commit();
      }
    }
  }

  void commit() {
    encode_pictures();
    if (batch_.empty()) return;
    collection_.commit(batch_);
    report_.added += batch_.added.size();
    observer_.committed(batch_.added.size());
    batch_ = {};
  }

  void encode_pictures() {
    if (pictures_.empty()) return;
    std::vector<Image> crops;
    std::vector<Image> masked_crops;
    std::vector<std::string> texts;
    for (PreparedPicture& picture : pictures_) {
      crops.push_back(std::move(picture.crop));
      if (picture.masked_crop) masked_crops.push_back(std::move(*picture.masked_crop));
      if (!picture.words.empty()) texts.push_back(joined_text(picture.words));
    }
    const Matrix image_vectors = encoder_->encode_images(crops);
    const Matrix masked_vectors = encoder_->encode_images(masked_crops);
    const Matrix text_vectors = encoder_->encode_texts(texts, LongText::Windows);
    size_t masked = 0;
    size_t text = 0;
    for (size_t i = 0; i < pictures_.size(); ++i) {
      PreparedPicture& picture = pictures_[i];
      NewPicture added{std::move(picture.record),
                       std::move(picture.words),
                       to_vector(image_vectors.row(i)),
                       {},
                       {}};
      if (!added.words.empty()) added.text_vector = to_vector(text_vectors.row(text++));
      if (picture.masked_crop) added.masked_vector = to_vector(masked_vectors.row(masked++));
      batch_.added.push_back(std::move(added));
    }
    report_.with_text += texts.size();
    pictures_.clear();
  }

  static std::vector<float> to_vector(std::span<const float> row) {
    return {row.begin(), row.end()};
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
  std::vector<PreparedPicture> pictures_;  // read, not encoded yet
  std::vector<KnownContent> doubles_;
  Batch batch_;
  SyncReport report_;
};

}  // namespace

SyncReport sync(CollectionWriter& collection, const std::vector<std::filesystem::path>& roots,
                const SyncOptions& options, const std::function<Encoder&()>& encoder,
                SyncObserver& observer, const std::atomic<bool>& stop) {
  return Synchroniser(collection, options, encoder, observer, stop).run(roots);
}

}  // namespace zeroshelf
