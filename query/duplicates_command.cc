// duplicates: what a collection has twice. Tested by tests/search/duplicates_test.cc and
// bundled_test.cc.

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "lib/program/values.h"
#include "lib/report/formats.h"
#include "lib/report/messages.h"
#include "lib/report/terminal_table.h"
#include "lib/search/duplicates.h"
#include "lib/util/output_stream.h"
#include "lib/util/text.h"
#include "query/commands.h"
#include "query/flags.h"
#include "query/together.h"

namespace zeroshelf {
namespace {

struct DuplicateOptions {
  std::vector<std::filesystem::path> collections;
  std::optional<DuplicateKind> kind;  // absent: all
  DuplicateLimits limits;
  OutputFormat format = OutputFormat::Table;
  bool omit_first = false;
};

std::string group_json(const View& collection, const DuplicateGroup& group) {
  message::DuplicateGroup line;
  line.kind = duplicate_kind_name(group.kind);
  for (const Row row : group.rows)
    line.pictures.push_back({collection.record(row).file.path, joined_text(collection.words(row))});
  return json_line(line);
}

std::string group_rows(const View& collection, size_t number, const DuplicateGroup& group) {
  std::string rows;
  for (const Row row : group.rows) {
    const std::string before =
        fmt::format("{:5} {:12} {} ", number, duplicate_kind_name(group.kind),
                    table_cell(joined_text(collection.words(row)), 30));
    rows += line_with_path(before, collection.record(row).file.path, "", terminal_columns(stdout));
  }
  return rows;
}

// The groups that were asked for. Names of one file are no duplicates: they are told as such, and
// never handed on unless they are asked for.
std::vector<DuplicateGroup> chosen_groups(std::vector<DuplicateGroup> groups,
                                          const DuplicateOptions& options) {
  const bool as_paths = options.format == OutputFormat::NulPaths;
  std::erase_if(groups, [&](const DuplicateGroup& group) {
    if (!options.kind) return as_paths && group.kind == DuplicateKind::SameFile;
    return options.kind != group.kind;
  });
  return groups;
}

// Each path once.
std::string null_paths(const View& collection, const std::vector<DuplicateGroup>& groups,
                       bool omit_first) {
  std::vector<Row> rows;
  std::unordered_set<Row> seen;
  if (omit_first) {
    rows = all_but_first(groups);
  } else {
    for (const DuplicateGroup& group : groups) {
      for (const Row row : group.rows) {
        if (seen.insert(row).second) rows.push_back(row);
      }
    }
  }
  std::string paths;
  for (const Row row : rows) paths += collection.record(row).file.path + '\0';
  return paths;
}

int run_duplicates(const DuplicateOptions& options) {
  const View collection = open_to_ask(options.collections);
  OutputStream out(stdout, "standard output");
  DuplicatesOnDisk found = look_at_files(collection, find_duplicates(collection, options.limits));
  const std::vector<DuplicateGroup> groups = chosen_groups(std::move(found.groups), options);
  if (options.format == OutputFormat::NulPaths) {
    out.write(null_paths(collection, groups, options.omit_first));
  } else {
    if (!groups.empty() && options.format == OutputFormat::Table)
      out.write("GROUP KIND         TEXT                           PATH\n");
    size_t number = 0;
    for (const DuplicateGroup& group : groups) {
      ++number;
      out.write(options.format == OutputFormat::Jsonl ? group_json(collection, group)
                                                      : group_rows(collection, number, group));
    }
  }
  out.flush();
  if (!found.gone.empty()) {
    warn("zeroshelf-query",
         fmt::format("{} pictures are left out because their file is gone, first {}; run "
                     "zeroshelf-index add again, or forget",
                     with_thousands(found.gone.size()),
                     collection.record(found.gone.front()).file.path));
  }
  return groups.empty() ? kNothingFound : kDone;
}

}  // namespace

void add_duplicates(Program& program) {
  const auto shared = std::make_shared<DuplicateOptions>();
  DuplicateOptions& options = *shared;
  CLI::App* command = program.add_command(
      "duplicates",
      "Find equal pictures, one picture with other words, and pictures with equal words",
      [shared] { return run_duplicates(*shared); });
  add_collections(command, options.collections);
  std::vector<Choice<std::optional<DuplicateKind>>> kinds = {{"all", std::nullopt}};
  for (const DuplicateKind kind : {DuplicateKind::SamePicture, DuplicateKind::OtherWords,
                                   DuplicateKind::SameWords, DuplicateKind::SameFile})
    kinds.push_back({duplicate_kind_name(kind), kind});
  add_choice(command, "--kind", options.kind, kinds, "Only groups of this kind");
  command
      ->add_option("--cosine", options.limits.picture_cosine,
                   "How alike two pictures must be (0.5 to 1)")
      ->check(CLI::Range(0.5, 1.0))
      ->capture_default_str();
  command
      ->add_option("--same-words", options.limits.same_words,
                   "How many words two texts must have in common (0.1 to 1)")
      ->check(CLI::Range(0.1, 1.0))
      ->capture_default_str();
  command->add_option("--threads", options.limits.threads, "0: every core")->capture_default_str();
  CLI::Option* format =
      add_format(command, options.format, {OutputFormat::Table, OutputFormat::Jsonl});
  add_null_flag(command, options.format, format,
                "Only the paths, each once and ended by NUL, as for xargs -0");
  command
      ->add_flag("--omit-first", options.omit_first,
                 "With -0: without the first of each group, so that one stays when the others are "
                 "removed")
      ->needs("--null");
}

}  // namespace zeroshelf
