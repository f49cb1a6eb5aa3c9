// Tested by tests/programs.

#include "indexer/adding.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "indexer/ocr_flags.h"
#include "lib/collection/settings.h"
#include "lib/files/disk.h"
#include "lib/files/find_files.h"
#include "lib/files/path_list.h"
#include "lib/program/message.h"
#include "lib/program/values.h"
#include "lib/report/messages.h"
#include "lib/util/below.h"
#include "lib/util/cgroup.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/text.h"
#include "lib/util/utc.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLargestFileBytes = uint64_t{1} << 36;
constexpr uint64_t kMostPixels = 2'000'000'000;  // a side is an int

}  // namespace

// --- flags ---------------------------------------------------------------------------------------

void add_place_arguments(CLI::App* command, AddOptions& options) {
  command
      ->add_option("COLLECTION", options.collection, "The collection's folder; made on first use")
      ->required();
  command->add_option("PATH", options.roots, "Folders and pictures; default: those of last time");
}

CLI::Option* add_reading_flags(CLI::App* command, AddOptions& options) {
  add_model_flags(command, options.model, "CLIP checkpoint; needed once, then remembered");
  CLI::Option* no_ocr =
      command->add_flag("--no-ocr", options.no_ocr,
                        "Do not read text in pictures: never in a new collection, not in this run "
                        "in an existing one");
  command
      ->add_option("--ocr-lang", options.ocr_languages,
                   "Tesseract languages, e.g. eng+deu, or auto; remembered; pictures read in "
                   "others are read "
                   "again")
      ->type_name("LANGUAGES")
      ->default_str(kDefaultLanguages)
      ->excludes(no_ocr);
  add_ocr_timeout(command, options.ocr_timeout_ms);
  return no_ocr;
}

void add_file_flags(CLI::App* command, AddOptions& options) {
  command->add_flag("--follow-links", options.follow_links,
                    "Follow symbolic links to folders, each folder once");
  command->add_option("--max-bytes", options.max_bytes, "Skip larger files, e.g. 2.5MB")
      ->transform(byte_size(false))
      ->check(CLI::Range(uint64_t{1}, kLargestFileBytes))
      ->type_name("SIZE")
      ->capture_default_str();
  command->add_option("--max-pixels", options.max_pixels, "Skip larger pictures")
      ->check(CLI::Range(uint64_t{1}, kMostPixels))
      ->capture_default_str();
  command->add_option("--batch", options.batch, "Pictures committed together")
      ->check(CLI::Range(uint64_t{1}, uint64_t{4'096}))
      ->capture_default_str();
  command
      ->add_option("--memory", options.memory_bytes,
                   "Memory for files and pixels being read, e.g. 256MB; a larger picture is read "
                   "alone. 0: a quarter of the control group's limit, at most 512 MB")
      ->transform(byte_size(false))
      ->type_name("SIZE");
}

// --- what is indexed -----------------------------------------------------------------------------

namespace {

// What a path lies in, also of a bare name.
fs::path folder_of(const fs::path& path) {
  const fs::path folder = path.parent_path();
  return folder.empty() ? "." : folder;
}

// Whether paths lie in the collection's folder, links followed.
class OwnFolder {
 public:
  explicit OwnFolder(const fs::path& collection) : folder_(resolved(collection)) {}

  bool has(const fs::path& path) { return is_below(resolved(path), folder_); }
  // The same of a file in a list of many, whose own name is no link to a folder.
  bool has_file(const fs::path& path) {
    const auto [known, is_new] = parents_.try_emplace(path.parent_path().string());
    if (is_new) known->second = has(folder_of(path));
    return known->second;
  }

 private:
  static fs::path resolved(const fs::path& path) {
    std::error_code error;
    fs::path result = fs::weakly_canonical(absolute_path(path), error);
    return error ? absolute_path(path) : result;
  }

  fs::path folder_;
  std::unordered_map<std::string, bool> parents_;
};

void refuse_own_folder(const AddOptions& options) {
  OwnFolder own(options.collection);
  for (const fs::path& root : options.roots) {
    if (!own.has(root)) continue;
    throw Error(ErrorCode::InvalidArgument, root.string(),
                "it lies in the collection's own folder, which holds no pictures",
                "move the pictures out of " + options.collection.string());
  }
}

}  // namespace

bool has_pictures_of(const Collection& collection, const fs::path& root) {
  const std::string path = absolute_path(root).string();
  bool found = collection.find_path(path).has_value();
  collection.for_each_record([&](Row, const PictureRecord& record) {
    found = found || record.file.path.starts_with(path + "/");
  });
  return found;
}

bool is_gone(const fs::path& root) {
  std::error_code error;
  return fs::status(root, error).type() == fs::file_type::not_found;
}

namespace {

// A root that is gone may be named where the collection has something of it: that is missing then.
// One that it had, and has nothing of any more, is left out where others are named.
std::vector<fs::path> checked_roots(const std::vector<fs::path>& roots,
                                    const Collection* collection) {
  std::vector<std::string> known;
  if (collection != nullptr) known = Settings(collection->directory()).all_roots();
  const auto was_named = [&](const fs::path& root) {
    return std::ranges::find(known, absolute_path(root).string()) != known.end();
  };
  const bool others =
      std::ranges::any_of(roots, [](const fs::path& root) { return !is_gone(root); });
  std::vector<fs::path> checked;
  for (const fs::path& root : roots) {
    const bool gone = collection != nullptr && is_gone(root);
    if (gone && has_pictures_of(*collection, root)) {
      checked.push_back(root);
    } else if (!gone || !others || !was_named(root)) {
      check_roots({root});
      checked.push_back(root);
    }
  }
  return checked;
}

std::string listed(const std::vector<fs::path>& roots) {
  std::string all;
  for (const fs::path& root : roots) all += (all.empty() ? "" : ", ") + printable(root.string());
  return all;
}

// Those that are there, and those of which there are pictures.
std::vector<fs::path> roots_of_last_time(const AddOptions& options, const Collection& collection) {
  std::vector<fs::path> all;
  for (const std::string& root : Settings(options.collection).roots()) all.emplace_back(root);
  std::vector<fs::path> roots = all;
  std::erase_if(roots, [&](const fs::path& root) {
    return is_gone(root) && !has_pictures_of(collection, root);
  });
  if (roots.empty() && !all.empty()) {
    throw Error(
        ErrorCode::NotFound, options.collection.string(),
        "what was indexed last time is gone, and there are no pictures of it: " + listed(all),
        "name the folders to index");
  }
  if (!roots.empty() && !options.quiet) say("indexing {}, as last time\n", listed(roots));
  return roots;
}

}  // namespace

std::vector<fs::path> roots_of(const AddOptions& options, const Collection* collection) {
  refuse_own_folder(options);
  std::vector<fs::path> roots = options.roots;
  if (roots.empty() && options.list.empty() && collection != nullptr)
    roots = roots_of_last_time(options, *collection);
  roots = checked_roots(roots, collection);
  for (fs::path& root : roots) root = as_listed(root);
  if (!options.list.empty()) {
    OwnFolder own(options.collection);
    std::unordered_map<std::string, fs::path> folders;  // as they are listed
    for (const std::string& text : read_path_list(options.list)) {
      if (own.has_file(text)) continue;
      const fs::path path = text;
      const auto [folder, is_new] = folders.try_emplace(path.parent_path().string());
      if (is_new) folder->second = as_listed(folder_of(path));
      roots.push_back(folder->second / path.filename());
    }
  }
  if (roots.empty()) {
    const std::string list = options.list == "-" ? "standard input" : options.list;
    throw Error(ErrorCode::InvalidArgument, list.empty() ? options.collection.string() : list,
                collection == nullptr && list.empty()
                    ? "no such collection, and nothing to make it of"
                    : "nothing to index",
                "name folders or pictures");
  }
  return roots;
}

std::optional<Collection> existing_collection(const fs::path& directory) {
  if (CollectionWriter::would_create(directory)) return std::nullopt;
  Collection collection = Collection::open(directory);
  if (!collection.manifest().has_known_model()) {
    throw Error(ErrorCode::Incompatible, directory.string(),
                "imported without its model, so new pictures cannot be made to fit",
                "import the vectors again with --model");
  }
  return collection;
}

namespace {

// Throws when the data of one is not installed.
void check_languages(const std::string& languages) {
  if (languages.empty()) {
    throw Error(ErrorCode::InvalidArgument, "--ocr-lang", "names no language",
                "name one, e.g. eng, or leave the text unread with --no-ocr");
  }
  TextReader(TextReaderOptions{languages});
}

}  // namespace

Manifest manifest_of(const ModelInfo& model) {
  Manifest manifest;
  manifest.model_name = model.name;
  manifest.model_path = model.path;
  manifest.model_fingerprint = model.fingerprint;
  manifest.dimension = model.dimension;
  manifest.logit_scale = model.logit_scale;
  manifest.scoring = model.scoring;
  manifest.logit_bias = model.logit_bias;
  manifest.created_utc = now_utc();
  return manifest;
}

OtherTexts::OtherTexts(const fs::path& directory)
    : collection_(Collection::open(directory)),
      languages_(
          Settings(directory).text_languages().value_or(collection_.manifest().ocr_languages)) {
  if (languages_.empty()) {
    throw Error(ErrorCode::InvalidArgument, directory.string(), "no text was read in it",
                "leave --text-from out, or name a collection that was made with OCR");
  }
}

KnownTexts OtherTexts::read_in(const std::string& languages) const {
  return [this, languages](const ContentHash& hash) -> std::optional<PictureText> {
    for (const Row row : collection_.find_contents(hash)) {
      if (collection_.text_languages(row) != languages) continue;
      PictureRecord record = collection_.record(row);
      return PictureText{collection_.words(row), record.turned_degrees,
                         std::move(record.unread_script)};
    }
    return std::nullopt;
  };
}

std::optional<OtherTexts> other_texts(const AddOptions& options) {
  if (options.text_from.empty()) return std::nullopt;
  std::error_code ignored;
  if (fs::equivalent(options.text_from, options.collection, ignored)) {
    throw Error(ErrorCode::InvalidArgument, "--text-from", "is the collection itself",
                "name the one that the texts were read for");
  }
  return OtherTexts(options.text_from);
}

namespace {

std::vector<std::string> absolute_roots(const AddOptions& options) {
  std::vector<std::string> roots;
  for (const fs::path& root : options.roots) roots.push_back(absolute_path(root).string());
  return roots;
}

// As Settings::begin_adding has it.
std::vector<std::string> what_is_added(const AddOptions& options, const Settings& settings) {
  std::vector<std::string> all = absolute_roots(options);
  if (!options.list.empty()) all.emplace_back();
  return all.empty() ? settings.roots() : all;
}

}  // namespace

Target::Target(const AddOptions& options, std::optional<Collection> existing,
               const std::string& usual_languages, std::unique_ptr<Encoder>& encoder,
               const std::optional<Shard>& shard)
    : options_(options),
      existing_(std::move(existing)),
      usual_languages_(usual_languages),
      encoder_(encoder),
      shard_(shard),
      collection_(open()) {}

void Target::begin() const {
  const Settings settings(options_.collection);
  if (!options_.roots.empty()) settings.remember_roots(absolute_roots(options_));
  settings.begin_adding(what_is_added(options_, settings));
}

void Target::finish() const {
  const Settings settings(options_.collection);
  settings.end_adding(what_is_added(options_, settings));
}

Encoder& Target::encoder() {
  if (!encoder_)
    encoder_ = load_model_of(manifest(), options_.collection, options_.model, EncoderSide::Both);
  return *encoder_;
}

CollectionWriter Target::open() {
  return existing_ ? open_existing() : create();
}

CollectionWriter Target::open_existing() {
  const Manifest& manifest = existing_->manifest();
  if (options_.mask_text && !manifest.mask_text) {
    throw Error(ErrorCode::InvalidArgument, options_.collection.string(),
                "was made without --mask-text, so its pictures have no masked vectors",
                "make another collection with --mask-text");
  }
  const Settings settings(options_.collection);
  if (options_.ocr_languages) check_languages(*options_.ocr_languages);
  if (!options_.no_ocr) {
    languages_ =
        options_.ocr_languages.value_or(settings.text_languages().value_or(manifest.ocr_languages));
  }
  if (encoder_ && encoder_->info().fingerprint != manifest.model_fingerprint) encoder_.reset();
  if (!encoder_ && !options_.model.model.empty())
    encoder_ = load_model_of(manifest, options_.collection, options_.model, EncoderSide::Both);
  existing_.reset();  // the writer maps the same files
  CollectionWriter writer = CollectionWriter::open_existing(options_.collection);
  if (options_.ocr_languages) settings.remember_text_languages(*options_.ocr_languages);
  return writer;
}

CollectionWriter Target::create() {
  encoder_ = load_model(options_.model, EncoderSide::Both);
  if (!options_.no_ocr) {
    languages_ = options_.ocr_languages.value_or(usual_languages_);
    check_languages(languages_);
  }
  Manifest manifest = manifest_of(encoder_->info());
  manifest.ocr_languages = languages_;
  manifest.mask_text = options_.mask_text;
  return CollectionWriter::open_or_create(options_.collection, manifest, [this] {
    if (shard_) Settings(options_.collection).remember_shard(shard_name(*shard_));
    begin();
  });
}

namespace {

// A quarter of what the control group allows, and not more than anybody needs.
uint64_t default_memory() {
  constexpr uint64_t kEnough = uint64_t{512} << 20;
  const auto allowed = cgroup_limits().memory_bytes;
  return allowed ? std::clamp<uint64_t>(*allowed / 4, 1, kEnough) : kEnough;
}

MissingFiles missing_files(const AddOptions& options) {
  if (options.keep_missing) return MissingFiles::Keep;
  return options.confirm_missing ? MissingFiles::RemoveAll : MissingFiles::Remove;
}

}  // namespace

SyncOptions sync_options(const AddOptions& options, const Target& target,
                         const std::optional<OtherTexts>& texts) {
  SyncOptions sync;
  sync.limits = {options.max_bytes, options.max_pixels};
  sync.ocr.languages = target.languages();
  sync.ocr.timeout_ms = options.ocr_timeout_ms;
  if (texts) sync.known_texts = texts->read_in(target.languages());
  sync.mask_text = target.manifest().mask_text;
  sync.known_skips = options.retry_skipped ? KnownSkips::TryAgain : KnownSkips::PassOver;
  sync.known_files = options.reread ? KnownFiles::Reread : KnownFiles::Believe;
  sync.missing_files = missing_files(options);
  sync.find.bad_roots = options.list.empty() ? BadRoots::Refuse : BadRoots::Report;
  sync.find.linked_folders = options.follow_links ? LinkedFolders::Follow : LinkedFolders::Report;
  sync.batch_pictures = options.batch;
  sync.threads = options.model.threads;
  sync.memory_bytes = options.memory_bytes != 0 ? options.memory_bytes : default_memory();
  return sync;
}

std::optional<double> reading_share(const StageTimes::Seconds& seconds) {
  const double reading = seconds[static_cast<size_t>(Stage::Ocr)];
  if (reading <= 0) return std::nullopt;
  return reading / std::accumulate(seconds.begin(), seconds.end(), 0.0);
}

namespace {

constexpr std::array<std::array<const char*, 2>, std::tuple_size_v<NeighbourCounts>>
    kNeighbourNames = {{{"sidecar", "sidecars"},
                        {"video or sound", "videos and sounds"},
                        {"zeroshelf collection", "zeroshelf collections"},
                        {"exported folder", "exported folders"}}};

// "12 sidecars, 3 videos and sounds"; empty when nothing was passed over.
std::string neighbours_text(const NeighbourCounts& counts) {
  std::string text;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", with_thousands(counts[i]),
                        kNeighbourNames[i][counts[i] == 1 ? 0 : 1]);
  }
  return text;
}

const char* state_name(RootPlace::State state) {
  switch (state) {
    case RootPlace::State::There:
      return "there";
    case RootPlace::State::Absent:
      return "absent";
    case RootPlace::State::Unmounted:
      return "not_mounted";
  }
  return "";
}

}  // namespace

std::string report_json(const SyncReport& report, const CollectionCounts& counts, double seconds,
                        const std::string& precision, const std::string& kernel) {
  message::SyncSummary summary;
  summary.added = report.added;
  summary.copied = report.copied;
  summary.restored = report.restored;
  summary.moved = report.moved;
  summary.removed = report.removed;
  summary.unchanged = report.unchanged;
  summary.skipped = report.skipped;
  summary.with_text = report.with_text;
  summary.interrupted = report.interrupted;
  summary.sidecars = report.neighbours[0];
  summary.recordings = report.neighbours[1];
  summary.collections = report.neighbours[2];
  summary.exports = report.neighbours[3];
  for (const DoubtfulPlace& doubtful : report.doubtful) {
    summary.not_removed.push_back({doubtful.place.path, state_name(doubtful.place.state),
                                   doubtful.place.pictures, doubtful.gone});
  }
  summary.pictures = counts.pictures;
  summary.seconds = seconds;
  summary.precision = precision;
  summary.kernel = kernel;
  for (size_t i = 0; i < kStages; ++i)
    summary.stage_seconds.push_back({kStageNames[i], Decimal{report.stage_seconds[i], 3}});
  summary.reading_share = reading_share(report.stage_seconds).value_or(0);
  return json_line(summary);
}

void print_report(const SyncReport& report, const CollectionCounts& counts, double seconds) {
  const std::string restored =
      report.restored > 0 ? fmt::format("{} back, ", with_thousands(report.restored)) : "";
  say("{} added ({} with text), {} duplicates of known files, {}{} moved, {} removed, {} "
      "unchanged, {} skipped "
      "in {:.1f} s; "
      "{} pictures in the collection\n",
      with_thousands(report.added), with_thousands(report.with_text), with_thousands(report.copied),
      restored, with_thousands(report.moved), with_thousands(report.removed),
      with_thousands(report.unchanged), with_thousands(report.skipped), seconds,
      with_thousands(counts.pictures));
  if (const std::string neighbours = neighbours_text(report.neighbours); !neighbours.empty())
    say("ignored: {}\n", neighbours);
  if (report.interrupted) say("interrupted: run the same command again to continue\n");
}

std::string doubt(const DoubtfulPlace& doubtful, const std::string& confirmation) {
  const RootPlace& place = doubtful.place;
  const std::string gone = with_thousands(doubtful.gone);
  const auto text = [&](const std::string& cause, const std::string& cure) {
    return fmt::format("{}: {}; none was removed; {}, or confirm with {}", printable(place.path),
                       cause, cure, confirmation);
  };
  switch (place.state) {
    case RootPlace::State::Unmounted:
      return text(fmt::format("{} pictures lay on a file system that is not mounted there", gone),
                  "mount it and run again");
    case RootPlace::State::Absent:
      return text(fmt::format("it is not there any more, nor are its {} pictures", gone),
                  "mount it and run again, or name the folder they went to as well");
    case RootPlace::State::There:
      break;
  }
  return text(fmt::format("{} of its {} pictures are gone", gone, with_thousands(place.pictures)),
              "if a disk or share is not mounted, mount it and run again");
}

}  // namespace zeroshelf
