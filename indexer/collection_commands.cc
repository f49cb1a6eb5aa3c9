// stats, skips, verify, repair and compact: what is asked of a whole collection. Tested by
// tests/programs.

#include "indexer/commands.h"

#include <fmt/format.h>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "indexer/foreign_note.h"
#include "indexer/progress.h"
#include "lib/collection/collection.h"
#include "lib/report/formats.h"
#include "lib/util/output_stream.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr const char* kProgram = "zeroshelf-index";

struct CollectionOptions {
  std::filesystem::path collection;
  bool json = false;
  bool null = false;  // skips: the paths alone, each ended by NUL
};

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
  fmt::format_to(
      std::back_inserter(out),
      ",\"model_fingerprint\":\"{}\",\"ocr_languages\":\"{}\",\"mask_text\":{},\"created\":\"{}\"",
      manifest.model_fingerprint, manifest.ocr_languages, manifest.mask_text, manifest.created_utc);
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
  if (manifest.mask_text) line("masked text", "a second vector of each picture with words");
  line("created", manifest.created_utc);
  return out;
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

int run_stats(const CollectionOptions& options) {
  const Collection collection = Collection::open(options.collection);
  print(options.json ? stats_json(collection) : stats_text(collection));
  return kDone;
}

int run_skips(const CollectionOptions& options) {
  const Collection collection = Collection::open(options.collection);
  OutputStream out(stdout, "standard output");
  collection.for_each_skip([&](const SkippedFile& file) {
    out.write(options.json   ? skip_json(file)
              : options.null ? file.file.path + '\0'
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
  note_foreign(options.collection);
  return report.lost.empty() ? kDone : kFailed;
}

int run_compact(const CollectionOptions& options) {
  const uint64_t dropped = compact_collection(options.collection);
  print(options.json ? fmt::format("{{\"type\":\"summary\",\"dropped\":{}}}\n", dropped)
                     : fmt::format("{} tombstones dropped\n", with_thousands(dropped)));
  note_foreign(options.collection);
  return kDone;
}

void add_plain(Program& program, const std::string& name, const std::string& description,
               int (*run)(const CollectionOptions&)) {
  const auto shared = std::make_shared<CollectionOptions>();
  CLI::App* command =
      program.add_command(name, description, [shared, run] { return run(*shared); });
  command->add_option("COLLECTION", shared->collection, "The collection's folder")->required();
  CLI::Option* json = command->add_flag("--json", shared->json, "JSON lines");
  if (run == run_skips) {
    command
        ->add_flag("-0,--null", shared->null, "Only the paths, each ended by NUL, as for xargs -0")
        ->excludes(json);
  }
}

}  // namespace

void add_collection_commands(Program& program) {
  add_plain(program, "stats", "What the collection holds", run_stats);
  add_plain(program, "skips", "The files that could not be indexed, and why", run_skips);
  add_plain(program, "verify",
            "Check records, vectors and checksums against each other; changes nothing", run_verify);
  add_plain(program, "repair", "Rebuild what verify found broken, from the records", run_repair);
  add_plain(program, "compact", "Give back the space of removed pictures", run_compact);
}

}  // namespace zeroshelf
