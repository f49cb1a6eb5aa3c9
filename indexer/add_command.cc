// add: files -> the collection. Tested by tests/programs.

#include "indexer/commands.h"

#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "indexer/foreign_note.h"
#include "indexer/ocr_flags.h"
#include "indexer/progress.h"
#include "lib/files/find_files.h"
#include "lib/files/path_list.h"
#include "lib/ingest/sync.h"
#include "lib/ocr/text_reader.h"
#include "lib/program/message.h"
#include "lib/program/values.h"
#include "lib/report/messages.h"
#include "lib/util/cgroup.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/output_stream.h"
#include "lib/util/text.h"
#include "lib/util/utc.h"
#include "models/flags/model_flags.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLargestFileBytes = uint64_t{1} << 36;
constexpr uint64_t kMostPixels = 2'000'000'000;  // a side is an int

struct AddOptions {
  std::filesystem::path collection;
  std::vector<std::filesystem::path> roots;
  std::string list;  // a file of NUL-separated paths, or "-"; empty: none
  ModelOptions model;
  bool no_ocr = false;
  std::string ocr_languages = "eng";
  int ocr_timeout_ms = TextReaderOptions{}.timeout_ms;
  bool mask_text = false;
  bool keep_missing = false;
  bool retry_skipped = false;
  bool follow_links = false;
  uint64_t max_bytes = DecodeLimits{}.max_bytes;
  uint64_t max_pixels = DecodeLimits{}.max_pixels;
  uint64_t batch = 32;
  uint64_t memory_bytes = 0;  // 0: by the machine
  bool profile = false;
  bool json = false;
};

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

// The first Ctrl-C ends the run when what is encoded so far is committed, the second at once.
void handle_interrupts() {
  struct sigaction action {};
  action.sa_handler = [](int) {
    constexpr std::string_view kStopping = "\nstopping after this batch; once more stops at once\n";
    stop_requested = true;
    const int saved = errno;
    [[maybe_unused]] const ssize_t written =
        ::write(STDERR_FILENO, kStopping.data(), kStopping.size());
    errno = saved;
  };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool is_below(const fs::path& path, const fs::path& folder) {
  const auto [in_path, in_folder] =
      std::mismatch(path.begin(), path.end(), folder.begin(), folder.end());
  return in_folder == folder.end();
}

// Whether paths lie in the collection's folder, links followed.
class OwnFolder {
 public:
  explicit OwnFolder(const fs::path& collection) : folder_(resolved(collection)) {}

  bool has(const fs::path& path) { return is_below(resolved(path), folder_); }
  // The same of a file in a list of many, whose own name is no link to a folder.
  bool has_file(const fs::path& path) {
    const auto [known, is_new] = parents_.try_emplace(path.parent_path().string());
    if (is_new) known->second = has(path.parent_path());
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

// What is to be taken up. A path of the list may be gone: then its picture is. The collection's own
// files are passed over in a list, as they are in a folder.
std::vector<fs::path> roots_of(const AddOptions& options) {
  check_roots(options.roots);
  refuse_own_folder(options);
  std::vector<fs::path> roots = options.roots;
  if (!options.list.empty()) {
    OwnFolder own(options.collection);
    for (std::string& path : read_path_list(options.list)) {
      if (!own.has_file(path)) roots.emplace_back(std::move(path));
    }
  }
  if (roots.empty()) {
    const std::string list = options.list == "-" ? "standard input" : options.list;
    throw Error(ErrorCode::InvalidArgument, list.empty() ? "add" : list, "no path to take up",
                "name folders or pictures, or give --files0-from a list");
  }
  return roots;
}

// The collection's manifest, if there is a collection.
std::optional<Manifest> existing_manifest(const fs::path& directory) {
  if (CollectionWriter::would_create(directory)) return std::nullopt;
  Manifest manifest = Collection::open(directory).manifest();
  if (!manifest.has_known_model()) {
    throw Error(ErrorCode::Incompatible, directory.string(),
                "imported without its model, so new pictures cannot be made to fit",
                "import the vectors again with --model");
  }
  return manifest;
}

Manifest manifest_for(const ModelInfo& model, const std::string& ocr_languages, bool mask_text) {
  Manifest manifest;
  manifest.model_name = model.name;
  manifest.model_path = model.path;
  manifest.model_fingerprint = model.fingerprint;
  manifest.dimension = model.dimension;
  manifest.logit_scale = model.logit_scale;
  manifest.ocr_languages = ocr_languages;
  manifest.mask_text = mask_text;
  manifest.created_utc = now_utc();
  return manifest;
}

// The collection to write to, and its encoder: loaded at once where the model must be compared with
// the collection's, and otherwise only when there is something to encode.
class Target {
 public:
  explicit Target(const AddOptions& options)
      : options_(options), existing_(existing_manifest(options.collection)), collection_(open()) {}

  CollectionWriter& collection() { return collection_; }
  const Manifest& manifest() const { return collection_.manifest(); }

  // Of the encoder, if one was needed.
  std::string precision() const { return encoder_ ? encoder_->info().precision : ""; }
  std::string kernel() const { return encoder_ ? encoder_->info().kernel : ""; }

  Encoder& encoder() {
    if (!encoder_) encoder_ = load_model_of(manifest(), options_.model, EncoderSide::Both);
    return *encoder_;
  }

 private:
  CollectionWriter open() {
    if (existing_) {
      if (options_.mask_text && !existing_->mask_text) {
        throw Error(ErrorCode::InvalidArgument, options_.collection.string(),
                    "was made without --mask-text, so its pictures have no masked vectors",
                    "make another collection with --mask-text");
      }
      if (!options_.model.model.empty()) {
        encoder_ = load_model_of(*existing_, options_.model, EncoderSide::Both);
      }
      return CollectionWriter::open_existing(options_.collection);
    }
    encoder_ = load_model(options_.model, EncoderSide::Both);
    const std::string languages = options_.no_ocr ? "" : options_.ocr_languages;
    if (!languages.empty()) TextReader(TextReaderOptions{languages});  // throws when one is missing
    return CollectionWriter::open_or_create(
        options_.collection, manifest_for(encoder_->info(), languages, options_.mask_text));
  }

  const AddOptions& options_;
  std::optional<Manifest> existing_;
  std::unique_ptr<Encoder> encoder_;
  CollectionWriter collection_;
};

// A quarter of what the control group allows, and not more than anybody needs.
uint64_t default_memory() {
  constexpr uint64_t kEnough = uint64_t{512} << 20;
  const auto allowed = cgroup_limits().memory_bytes;
  return allowed ? std::clamp<uint64_t>(*allowed / 4, 1, kEnough) : kEnough;
}

SyncOptions sync_options(const AddOptions& options, const Manifest& manifest) {
  SyncOptions sync;
  sync.limits = {options.max_bytes, options.max_pixels};
  sync.ocr.languages = options.no_ocr ? "" : manifest.ocr_languages;
  sync.ocr.timeout_ms = options.ocr_timeout_ms;
  sync.mask_text = manifest.mask_text;
  sync.known_skips = options.retry_skipped ? KnownSkips::TryAgain : KnownSkips::PassOver;
  sync.missing_files = options.keep_missing ? MissingFiles::Keep : MissingFiles::Remove;
  sync.find.bad_roots = options.list.empty() ? BadRoots::Refuse : BadRoots::Report;
  sync.find.linked_folders = options.follow_links ? LinkedFolders::Follow : LinkedFolders::Report;
  sync.batch_pictures = options.batch;
  sync.threads = options.model.threads;
  sync.memory_bytes = options.memory_bytes != 0 ? options.memory_bytes : default_memory();
  return sync;
}

std::string report_json(const SyncReport& report, const CollectionCounts& counts, double seconds,
                        const std::string& precision, const std::string& kernel) {
  message::SyncSummary summary;
  summary.added = report.added;
  summary.copied = report.copied;
  summary.moved = report.moved;
  summary.removed = report.removed;
  summary.unchanged = report.unchanged;
  summary.skipped = report.skipped;
  summary.with_text = report.with_text;
  summary.interrupted = report.interrupted;
  summary.pictures = counts.pictures;
  summary.seconds = seconds;
  summary.precision = precision;
  summary.kernel = kernel;
  for (size_t i = 0; i < kStages; ++i)
    summary.stage_seconds.push_back({kStageNames[i], Decimal{report.stage_seconds[i], 3}});
  return json_line(summary);
}

void print_report(const SyncReport& report, const CollectionCounts& counts, double seconds) {
  say("{} added ({} with text), {} copied, {} moved, {} removed, {} unchanged, {} skipped "
      "in {:.1f} s; "
      "{} pictures in the collection\n",
      with_thousands(report.added), with_thousands(report.with_text), with_thousands(report.copied),
      with_thousands(report.moved), with_thousands(report.removed),
      with_thousands(report.unchanged), with_thousands(report.skipped), seconds,
      with_thousands(counts.pictures));
  if (report.interrupted) say("interrupted: run the same command again to go on\n");
}

int run_add(const AddOptions& options) {
  const std::vector<fs::path> roots = roots_of(options);
  const auto start = std::chrono::steady_clock::now();
  handle_interrupts();
  Target target(options);

  OutputStream out(stdout, "standard output");
  TextProgress text_progress;
  JsonProgress json_progress(out);
  SyncObserver& progress = options.json ? static_cast<SyncObserver&>(json_progress) : text_progress;
  const SyncReport report = sync(
      target.collection(), roots, sync_options(options, target.manifest()),
      [&]() -> Encoder& { return target.encoder(); }, progress, stop_requested);
  text_progress.finish();

  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  const CollectionCounts counts = target.collection().counts();
  if (options.json) {
    out.write(report_json(report, counts, spent.count(), target.precision(), target.kernel()));
    out.flush();
  } else {
    print_report(report, counts, spent.count());
    if (report.added > 0) {
      say("encoded in {} ({})\n", target.precision(), target.kernel());
    }
    if (options.profile) say_text(profile_text(report.stage_seconds));
  }
  note_foreign(options.collection);
  if (report.interrupted) return kFailed;
  return report.skipped > 0 ? kSomeSkipped : kDone;
}

}  // namespace

void add_add(Program& program) {
  const auto shared = std::make_shared<AddOptions>();
  AddOptions& options = *shared;
  CLI::App* command = program.add_command(
      "add", "Take up the pictures of folders: new, changed, moved and deleted ones",
      [shared] { return run_add(*shared); });
  command
      ->add_option("COLLECTION", options.collection, "The collection's folder; made on first use")
      ->required();
  command->add_option("PATH", options.roots, "Folders and pictures");
  command
      ->add_option(
          "--files0-from", options.list,
          "A file of more paths, each ended by NUL as find -print0 writes them; -: standard "
          "input")
      ->type_name("FILE");
  add_model_flags(command, options.model,
                  "CLIP checkpoint; needed once, the collection remembers it");
  CLI::Option* no_ocr =
      command->add_flag("--no-ocr", options.no_ocr, "Do not read the text in the pictures");
  command
      ->add_option("--ocr-lang", options.ocr_languages,
                   "Tesseract languages of a new collection, e.g. eng+deu")
      ->capture_default_str();
  add_ocr_timeout(command, options.ocr_timeout_ms);
  command
      ->add_flag("--mask-text", options.mask_text,
                 "A new collection also keeps each picture's vector with its text blanked out")
      ->excludes(no_ocr);
  command->add_flag("--keep-missing", options.keep_missing, "Keep pictures whose file is gone");
  command->add_flag("--retry-skipped", options.retry_skipped,
                    "Try files again that were skipped before");
  command->add_flag("--follow-links", options.follow_links,
                    "Walk the folders that symbolic links lead to; each folder once");
  command->add_option("--max-bytes", options.max_bytes, "Skip larger files")
      ->check(CLI::Range(uint64_t{1}, kLargestFileBytes))
      ->capture_default_str();
  command->add_option("--max-pixels", options.max_pixels, "Skip larger pictures")
      ->check(CLI::Range(uint64_t{1}, kMostPixels))
      ->capture_default_str();
  command->add_option("--batch", options.batch, "Pictures committed together")
      ->check(CLI::Range(uint64_t{1}, uint64_t{4'096}))
      ->capture_default_str();
  command
      ->add_option("--memory", options.memory_bytes,
                   "Of files and pixels that are being read, e.g. 256MB; one larger picture is "
                   "read alone. 0: a quarter of what the control group allows, at most 512 MB")
      ->transform(byte_size(false))
      ->type_name("SIZE");
  command->add_flag("--profile", options.profile, "Print where the time went");
  command->add_flag("--json", options.json, "Events and summary as JSON lines on stdout");
}

}  // namespace zeroshelf
