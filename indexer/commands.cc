// The subcommands of zeroshelf-index. Tested by tests/programs.

#include "indexer/commands.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <variant>

#include "indexer/path_list.h"
#include "indexer/progress.h"
#include "indexer/sync.h"
#include "lib/ocr/text_reader.h"
#include "lib/output/formats.h"
#include "lib/output/output_stream.h"
#include "lib/program/program.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "zeroshelf-index";

// --- add ----------------------------------------------------------------------------------------

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

// The first Ctrl-C ends the run after the batch in flight, the second at once.
void handle_interrupts() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop_requested = true; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

void check_roots(const std::vector<fs::path>& roots) {
  for (const fs::path& root : roots) {
    std::error_code error;
    const fs::file_status status = fs::status(root, error);
    if (!fs::exists(status)) {
      throw Error(ErrorCode::NotFound, root.string(),
                  error ? errno_text(error.value()) : "no such file or folder",
                  "name an existing folder or picture");
    }
  }
}

// What is to be taken up. A path of the list may be gone: then its picture is.
std::vector<fs::path> roots_of(const AddOptions& options) {
  check_roots(options.roots);
  std::vector<fs::path> roots = options.roots;
  if (!options.list.empty()) {
    for (std::string& path : read_path_list(options.list)) roots.emplace_back(std::move(path));
  }
  if (roots.empty()) {
    throw Error(ErrorCode::InvalidArgument, options.list.empty() ? "add" : options.list,
                "no path to take up", "name folders or pictures, or give --files0-from a list");
  }
  return roots;
}

// The collection's manifest, if there is a collection.
std::optional<Manifest> existing_manifest(const fs::path& directory) {
  if (CollectionWriter::would_create(directory)) return std::nullopt;
  return Collection::open(directory).manifest();
}

Manifest manifest_for(const ModelInfo& model, const std::string& ocr_languages) {
  Manifest manifest;
  manifest.model_name = model.name;
  manifest.model_path = model.path;
  manifest.model_fingerprint = model.fingerprint;
  manifest.dimension = model.dimension;
  manifest.logit_scale = model.logit_scale;
  manifest.ocr_languages = ocr_languages;
  manifest.created_utc = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
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

  Encoder& encoder() {
    if (!encoder_) encoder_ = load_model_of(manifest(), options_.model, EncoderSide::Both);
    return *encoder_;
  }

 private:
  CollectionWriter open() {
    if (existing_) {
      if (!options_.model.model.empty()) {
        encoder_ = load_model_of(*existing_, options_.model, EncoderSide::Both);
      }
      return CollectionWriter::open_existing(options_.collection);
    }
    encoder_ = load_model(options_.model, EncoderSide::Both);
    const std::string languages = options_.no_ocr ? "" : options_.ocr_languages;
    if (!languages.empty()) TextReader(TextReaderOptions{languages});  // throws when one is missing
    return CollectionWriter::open_or_create(options_.collection,
                                            manifest_for(encoder_->info(), languages));
  }

  const AddOptions& options_;
  std::optional<Manifest> existing_;
  std::unique_ptr<Encoder> encoder_;
  CollectionWriter collection_;
};

SyncOptions sync_options(const AddOptions& options, const Manifest& manifest) {
  SyncOptions sync;
  sync.limits = {options.max_bytes, options.max_pixels};
  sync.ocr_languages = options.no_ocr ? "" : manifest.ocr_languages;
  sync.known_skips = options.retry_skipped ? KnownSkips::TryAgain : KnownSkips::PassOver;
  sync.missing_files = options.keep_missing ? MissingFiles::Keep : MissingFiles::Remove;
  sync.bad_roots = options.list.empty() ? BadRoots::Refuse : BadRoots::Report;
  sync.batch_pictures = options.batch;
  sync.threads = options.model.threads;
  return sync;
}

std::string report_json(const SyncReport& report, const CollectionCounts& counts, double seconds) {
  return fmt::format(
      "{{\"type\":\"summary\",\"added\":{},\"copied\":{},\"moved\":{},\"removed\":{},\"unchanged\":"
      "{},"
      "\"skipped\":{},\"with_text\":{},\"interrupted\":{},\"pictures\":{},\"seconds\":{:.3f}}}\n",
      report.added, report.copied, report.moved, report.removed, report.unchanged, report.skipped,
      report.with_text, report.interrupted, counts.pictures, seconds);
}

void print_report(const SyncReport& report, const CollectionCounts& counts, double seconds) {
  fmt::print(stderr,
             "{} added ({} with text), {} copied, {} moved, {} removed, {} unchanged, {} skipped "
             "in {:.1f} s; "
             "{} pictures in the collection\n",
             with_thousands(report.added), with_thousands(report.with_text),
             with_thousands(report.copied), with_thousands(report.moved),
             with_thousands(report.removed), with_thousands(report.unchanged),
             with_thousands(report.skipped), seconds, with_thousands(counts.pictures));
  if (report.interrupted) fmt::print(stderr, "interrupted: run the same command again to go on\n");
}

// --- stats --------------------------------------------------------------------------------------

std::map<std::string, uint64_t> count_skip_reasons(const Collection& collection) {
  std::map<std::string, uint64_t> counts;
  collection.for_each_skip(
      [&](const SkippedFile& file) { ++counts[std::string(skip_reason_name(file.skip.reason))]; });
  return counts;
}

std::string stats_json(const Collection& collection) {
  const Manifest& manifest = collection.manifest();
  const CollectionCounts counts = collection.counts();
  std::string out = fmt::format(
      "{{\"type\":\"stats\",\"pictures\":{},\"with_text\":{},\"tombstones\":{},\"skipped\":{},"
      "\"commits\":{},"
      "\"disk_bytes\":{},\"dimension\":{},\"logit_scale\":{},\"format_version\":{},\"model_name\":",
      counts.pictures, counts.with_text, counts.tombstones, counts.skips, counts.commits,
      counts.disk_bytes, manifest.dimension, manifest.logit_scale, manifest.format_version);
  append_json_string(out, manifest.model_name);
  out += ",\"model_path\":";
  append_json_string(out, manifest.model_path);
  fmt::format_to(std::back_inserter(out),
                 ",\"model_fingerprint\":\"{}\",\"ocr_languages\":\"{}\",\"created\":\"{}\"",
                 manifest.model_fingerprint, manifest.ocr_languages, manifest.created_utc);
  out += ",\"skip_reasons\":{";
  std::string separator;
  for (const auto& [reason, count] : count_skip_reasons(collection)) {
    fmt::format_to(std::back_inserter(out), "{}\"{}\":{}", separator, reason, count);
    separator = ",";
  }
  return out + "}}\n";
}

std::string stats_text(const Collection& collection) {
  const Manifest& manifest = collection.manifest();
  const CollectionCounts counts = collection.counts();
  std::string out;
  const auto line = [&](const char* name, const std::string& value) {
    fmt::format_to(std::back_inserter(out), "{:<12} {}\n", name, value);
  };
  line("pictures", with_thousands(counts.pictures));
  line("with text", with_thousands(counts.with_text));
  line("tombstones", with_thousands(counts.tombstones));
  line("skipped", with_thousands(counts.skips));
  for (const auto& [reason, count] : count_skip_reasons(collection)) {
    line("", fmt::format("{} {}", with_thousands(count), reason));
  }
  line("commits", with_thousands(counts.commits));
  line("on disk",
       counts.disk_bytes < (1 << 20)
           ? fmt::format("{} KiB", (counts.disk_bytes + 1023) >> 10)
           : fmt::format("{:.1f} MiB", static_cast<double>(counts.disk_bytes) / (1 << 20)));
  line("model", printable(fmt::format("{} ({} dimensions) at {}", manifest.model_name,
                                      manifest.dimension, manifest.model_path)));
  line("OCR", manifest.ocr_languages.empty() ? "none" : manifest.ocr_languages);
  line("created", manifest.created_utc);
  return out;
}

// --- ocr ----------------------------------------------------------------------------------------

std::string ocr_json(const fs::path& path, const std::vector<Word>& words) {
  std::string line = "{\"type\":\"ocr\",";
  append_json_path(line, path.string());
  line += ",\"text\":";
  append_json_string(line, joined_text(words));
  line += ",\"words\":[";
  for (size_t i = 0; i < words.size(); ++i) {
    const Word& word = words[i];
    line += i == 0 ? "{\"text\":" : ",{\"text\":";
    append_json_string(line, word.text);
    fmt::format_to(
        std::back_inserter(line),
        ",\"confidence\":{:.3f},\"box\":{{\"x\":{},\"y\":{},\"width\":{},\"height\":{}}}}}",
        word.confidence, word.box.x, word.box.y, word.box.width, word.box.height);
  }
  return line + "]}\n";
}

std::string faults_json(const char* type, const std::vector<Fault>& faults) {
  std::string out;
  for (const Fault& fault : faults) {
    fmt::format_to(std::back_inserter(out), "{{\"type\":\"{}\",\"subject\":", type);
    append_json_string(out, fault.subject);
    out += ",\"cause\":";
    append_json_string(out, fault.cause);
    out += "}\n";
  }
  return out;
}

std::string faults_text(const char* prefix, const std::vector<Fault>& faults) {
  std::string out;
  for (const Fault& fault : faults) {
    fmt::format_to(std::back_inserter(out), "{}{}: {}\n", prefix, printable(fault.subject),
                   printable(fault.cause));
  }
  return out;
}

void print(const std::string& text) {
  OutputStream out(stdout, "standard output");
  out.write(text);
  out.flush();
}

}  // namespace

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
    out.write(report_json(report, counts, spent.count()));
    out.flush();
  } else {
    print_report(report, counts, spent.count());
  }
  if (report.interrupted) return kFailed;
  return report.skipped > 0 ? kSomeSkipped : kDone;
}

int run_stats(const CollectionOptions& options) {
  const Collection collection = Collection::open(options.collection);
  print(options.json ? stats_json(collection) : stats_text(collection));
  return kDone;
}

int run_skips(const CollectionOptions& options) {
  const Collection collection = Collection::open(options.collection);
  OutputStream out(stdout, "standard output");
  collection.for_each_skip([&](const SkippedFile& file) {
    out.write(options.json ? skip_json(file)
                           : fmt::format("{}: {}\n", printable(file.file.path),
                                         printable(file.skip.detail)));
  });
  out.flush();
  return kDone;
}

int run_verify(const CollectionOptions& options) {
  const std::vector<Fault> faults = verify_collection(options.collection);
  if (options.json) {
    print(faults_json("fault", faults) +
          fmt::format("{{\"type\":\"summary\",\"faults\":{}}}\n", faults.size()));
  } else {
    print(faults.empty() ? "no faults\n" : faults_text("", faults));
  }
  if (faults.empty()) return kDone;
  warn(kProgram,
       fmt::format("{} faults; zeroshelf-index repair mends what can be derived", faults.size()));
  return kFailed;
}

int run_repair(const CollectionOptions& options) {
  const RepairReport report = repair_collection(options.collection);
  std::string out;
  for (const std::string& mended : report.mended) {
    if (options.json) {
      out += "{\"type\":\"mended\",\"what\":";
      append_json_string(out, mended);
      out += "}\n";
    } else {
      out += "mended " + printable(mended) + "\n";
    }
  }
  out += options.json ? faults_json("lost", report.lost) : faults_text("lost ", report.lost);
  if (options.json) {
    out += fmt::format("{{\"type\":\"summary\",\"mended\":{},\"lost\":{}}}\n", report.mended.size(),
                       report.lost.size());
  } else if (report.mended.empty() && report.lost.empty()) {
    out += "nothing to repair\n";
  }
  print(out);
  return report.lost.empty() ? kDone : kFailed;
}

int run_compact(const CollectionOptions& options) {
  const uint64_t dropped = compact_collection(options.collection);
  print(options.json ? fmt::format("{{\"type\":\"summary\",\"dropped\":{}}}\n", dropped)
                     : fmt::format("{} tombstones dropped\n", with_thousands(dropped)));
  return kDone;
}

int run_ocr(const OcrOptions& options) {
  TextReader reader(TextReaderOptions{options.languages});
  OutputStream out(stdout, "standard output");
  const DecodeLimits limits;
  bool any_failed = false;
  const auto fail = [&](const fs::path& path, const std::string& message) {
    warn(kProgram, path.string() + ": " + message);
    any_failed = true;
  };
  for (const fs::path& path : options.images) {
    std::string bytes;
    try {
      bytes = read_file(path, limits.max_bytes);
    } catch (const Error& error) {
      fail(path, error.cause());
      continue;
    }
    const auto decoded = decode_image(std::as_bytes(std::span(bytes)), limits);
    if (const Skip* skip = std::get_if<Skip>(&decoded)) {
      fail(path, skip->detail);
      continue;
    }
    out.write(ocr_json(path, reader.read(std::get<Image>(decoded))));
    out.flush();
  }
  return any_failed ? kFailed : kDone;
}

}  // namespace zeroshelf
