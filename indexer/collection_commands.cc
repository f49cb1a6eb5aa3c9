// stats, skips, verify, repair and compact: what is asked of a whole collection. Tested by
// tests/programs.

#include "indexer/commands.h"

#include <fmt/format.h>
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "indexer/foreign_note.h"
#include "indexer/progress.h"
#include "lib/collection/collection.h"
#include "lib/collection/open_view.h"
#include "lib/collection/path_order.h"
#include "lib/collection/shard.h"
#include "lib/collection/unfinished.h"
#include "lib/ingest/check_files.h"
#include "lib/report/collection_stats.h"
#include "lib/report/formats.h"
#include "lib/report/messages.h"
#include "lib/util/output_stream.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr const char* kProgram = "zeroshelf-index";

struct CollectionOptions {
  std::filesystem::path collection;
  std::vector<std::filesystem::path> collections;  // of those that take several as one
  bool json = false;
  bool null = false;   // skips: the paths alone, each ended by NUL
  bool files = false;  // verify: the files too
};

std::string stats_text(const CollectionStats& stats) {
  const Manifest& manifest = stats.manifest;
  const CollectionCounts& counts = stats.counts;
  std::string out;
  const auto line = [&](const char* name, const std::string& value) {
    fmt::format_to(std::back_inserter(out), "{:<12} {}\n", name, value);
  };
  if (stats.parts > 1) line("collections", with_thousands(stats.parts));
  if (!stats.shard.empty()) line("shard", stats.shard);
  if (stats.unfinished > 0) {
    line("unfinished", stats.parts == 1
                           ? "indexing has not come to its end"
                           : fmt::format("indexing of {} of them has not come to its end",
                                         with_thousands(stats.unfinished)));
  }
  line("pictures", with_thousands(counts.pictures));
  line("with text", with_thousands(counts.with_text));
  if (stats.turned > 0) line("", with_thousands(stats.turned) + " lie on their side or head");
  for (const auto& [script, count] : stats.unread_scripts) {
    line("", fmt::format("{} with text in {} that is not read: none of the languages has it",
                         with_thousands(count), printable(script)));
  }
  line("removed", with_thousands(counts.tombstones) + ", not yet compacted");
  line("skipped", with_thousands(counts.skips));
  for (const auto& [reason, count] : stats.skip_reasons)
    line("", fmt::format("{} {}", with_thousands(count), reason));
  line("on disk",
       counts.disk_bytes < (1 << 20)
           ? fmt::format("{} KiB", (counts.disk_bytes + 1023) >> 10)
           : fmt::format("{:.1f} MiB", static_cast<double>(counts.disk_bytes) / (1 << 20)));
  line("model", printable(fmt::format("{} ({} dimensions) at {}", manifest.model_name,
                                      manifest.dimension, stats.model_path)));
  line("OCR", stats.text_languages.empty() ? "none" : stats.text_languages);
  if (manifest.mask_text) line("masked text", "a second vector of each picture with words");
  line("created", manifest.created_utc);
  return out;
}

std::string faults_json(std::string_view type, const std::vector<Fault>& faults) {
  std::string lines;
  for (const Fault& fault : faults)
    append_json_line(lines, message::Fault{type, fault.subject, fault.cause});
  return lines;
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
  const OpenedView opened = open_view(options.collections);
  warn_each(kProgram, opened.unfinished);
  const CollectionStats stats = collection_stats(opened.view);
  print(options.json ? json_line(message_of(stats)) : stats_text(stats));
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

std::string summary_of(const FileCheck& check) {
  return fmt::format(
      "{} files are as they were indexed, {} have another content, {} are gone, {} cannot be "
      "read\n",
      with_thousands(check.same), with_thousands(check.changed), with_thousands(check.gone),
      with_thousands(check.unreadable));
}

std::string summary_json(const FileCheck& check) {
  return fmt::format(
      "{{\"type\":\"files\",\"same\":{},\"changed\":{},\"gone\":{},\"unreadable\":{}}}\n",
      check.same, check.changed, check.gone, check.unreadable);
}

int run_verify_files(const CollectionOptions& options) {
  const OpenedView opened = open_view(options.collections);
  OutputStream out(stdout, "standard output");
  FileCheck all;
  for (const View::Part& part : opened.view.parts()) {
    const FileCheck check = check_files(part.collection, 0, [&](const Fault& fault) {
      out.write(options.json ? faults_json("fault", {fault}) : faults_text("", {fault}));
    });
    all.same += check.same;
    all.changed += check.changed;
    all.gone += check.gone;
    all.unreadable += check.unreadable;
  }
  out.write(options.json ? summary_json(all) : summary_of(all));
  out.flush();
  if (all.changed + all.gone + all.unreadable == 0) return kDone;
  warn(kProgram,
       "zeroshelf-index add indexes changed files again; zeroshelf-index forget drops files "
       "that are gone for good");
  return kFailed;
}

std::string no_faults(const View& collection) {
  const CollectionCounts counts = collection.counts();
  return fmt::format("no faults in {} pictures and {} commits\n", with_thousands(counts.pictures),
                     with_thousands(counts.commits));
}

// A part that cannot be opened is a fault like others, and the rest is looked at.
std::vector<Fault> faults_of_part(const std::filesystem::path& part) {
  try {
    std::vector<Fault> faults = verify_collection(part);
    for (Fault& fault : faults) fault.subject = fmt::format("{}: {}", part.string(), fault.subject);
    return faults;
  } catch (const Error& error) {
    return {{error.subject(), error.cause()}};
  }
}

// What makes sound collections no union: other models, and pictures that count twice.
std::vector<Fault> faults_between(const std::vector<std::filesystem::path>& parts) {
  std::vector<Fault> faults;
  const View view = View::open(parts);
  std::string last;
  Row last_row = 0;
  for_each_record_by_path(view, [&](Row row, const PictureRecord& record) {
    if (record.file.path == last) {
      const Collection& other = view.part_of(last_row).collection;
      faults.push_back({view.part_of(row).collection.directory().string(),
                        fmt::format("{} is also in {}", last, other.directory().string())});
    }
    last = record.file.path;
    last_row = row;
  });
  return faults;
}

// Shards that none of several parts is, whoever chose them.
std::vector<Fault> missing_shards(const std::vector<std::filesystem::path>& parts) {
  constexpr size_t kMostNamed = 8;
  std::map<uint32_t, std::set<uint32_t>> there;
  for (const std::filesystem::path& part : parts) {
    if (const auto shard = shard_of(part)) there[shard->count].insert(shard->number);
  }
  std::vector<Fault> faults;
  for (const auto& [count, numbers] : there) {
    std::vector<std::string> missing;
    for (uint32_t number = 0; number < count; ++number) {
      if (!numbers.contains(number)) missing.push_back(shard_name({number, count}));
    }
    if (missing.empty()) continue;
    faults.push_back({fmt::format("{} shards of {}", numbers.size(), count),
                      "not among them: " + first_few(missing, kMostNamed)});
  }
  return faults;
}

std::vector<std::string> unfinished_lines(const std::vector<std::filesystem::path>& parts) {
  std::vector<std::string> lines;
  for (const std::filesystem::path& part : parts) {
    if (auto line = unfinished_line(part)) lines.push_back(*std::move(line));
  }
  return lines;
}

struct FoundFaults {
  std::vector<Fault> faults;
  std::string_view cure = "zeroshelf-index repair fixes what the records tell";
};

FoundFaults faults_of(const NamedParts& parts) {
  if (parts.there.size() == 1 && parts.away.empty())
    return {verify_collection(parts.there.front())};
  std::vector<Fault> all;
  for (const std::filesystem::path& part : parts.there) {
    std::vector<Fault> faults = faults_of_part(part);
    std::ranges::move(faults, std::back_inserter(all));
  }
  if (!all.empty() && parts.away.empty()) return {std::move(all)};
  for (const Error& error : parts.away) all.push_back({error.subject(), error.cause()});
  if (!all.empty()) {
    return {std::move(all),
            "mount or bring back the parts that are missing; zeroshelf-index repair fixes what the "
            "records tell"};
  }
  FoundFaults found{faults_between(parts.there),
                    "zeroshelf-index forget takes a picture out of one of them"};
  if (found.faults.empty()) found.cure = "name all parts, or verify each alone";
  std::ranges::move(missing_shards(parts.there), std::back_inserter(found.faults));
  return found;
}

int run_verify(const CollectionOptions& options) {
  const NamedParts parts = named_parts(options.collections);
  const auto [faults, cure] = faults_of(parts);
  const std::vector<std::string> unfinished = unfinished_lines(parts.there);
  warn_each(kProgram, unfinished);
  if (options.json) {
    print(faults_json("fault", faults) +
          json_line(
              message::Summary{{{"faults", faults.size()}, {"unfinished", unfinished.size()}}}));
  } else {
    print(faults.empty() ? no_faults(open_view(options.collections).view)
                         : faults_text("", faults));
  }
  if (faults.empty()) return options.files ? run_verify_files(options) : kDone;
  warn(kProgram,
       fmt::format("{} {}; {}", faults.size(), faults.size() == 1 ? "fault" : "faults", cure));
  return kFailed;
}

int run_repair(const CollectionOptions& options) {
  const RepairReport report = repair_collection(options.collection);
  std::string out;
  for (const std::string& mended : report.mended) {
    if (options.json) {
      append_json_line(out, message::Mended{mended});
    } else {
      out += "repaired " + printable(mended) + "\n";
    }
  }
  out += options.json ? faults_json("lost", report.lost) : faults_text("lost ", report.lost);
  if (options.json) {
    append_json_line(
        out, message::Summary{{{"mended", report.mended.size()}, {"lost", report.lost.size()}}});
  } else if (report.mended.empty() && report.lost.empty()) {
    out += "nothing to repair\n";
  }
  print(out);
  note_foreign(options.collection);
  return report.lost.empty() ? kDone : kFailed;
}

int run_compact(const CollectionOptions& options) {
  const uint64_t dropped = compact_collection(options.collection);
  print(options.json
            ? json_line(message::Summary{{{"dropped", dropped}}})
            : fmt::format("space of {} removed pictures reclaimed\n", with_thousands(dropped)));
  note_foreign(options.collection);
  return kDone;
}

void add_plain(Program& program, const std::string& name, const std::string& description,
               int (*run)(const CollectionOptions&)) {
  const auto shared = std::make_shared<CollectionOptions>();
  CLI::App* command =
      program.add_command(name, description, [shared, run] { return run(*shared); });
  if (run == run_stats || run == run_verify) {
    command
        ->add_option("COLLECTION", shared->collections,
                     "The collection's folder; several, a folder of them, or a .set file with one "
                     "a line count as one")
        ->required();
  } else {
    command->add_option("COLLECTION", shared->collection, "The collection's folder")->required();
  }
  CLI::Option* json = command->add_flag("--json", shared->json, "JSON lines");
  if (run == run_verify) {
    command->add_flag("--files", shared->files,
                      "Also read every picture's file and compare it with what was indexed");
  }
  if (run == run_skips) {
    command
        ->add_flag("-0,--null", shared->null, "Only the paths, each ended by NUL, as for xargs -0")
        ->excludes(json);
  }
}

}  // namespace

void add_collection_commands(Program& program) {
  add_plain(program, "stats", "Show what the collection holds", run_stats);
  add_plain(program, "skips", "List the files that could not be indexed, and why", run_skips);
  add_plain(program, "verify",
            "Check records, vectors and checksums against each other; changes nothing", run_verify);
  add_plain(program, "repair", "Rebuild from the records what verify found broken", run_repair);
  add_plain(program, "compact", "Reclaim the space of removed pictures", run_compact);
}

}  // namespace zeroshelf
