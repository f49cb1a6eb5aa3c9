// duplicates: what a collection has twice. Tested by tests/programs/duplicates_test.cc and
// bundled_test.cc.

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/program/values.h"
#include "lib/report/formats.h"
#include "lib/report/messages.h"
#include "lib/search/duplicates.h"
#include "lib/util/output_stream.h"
#include "lib/util/text.h"
#include "query/commands.h"
#include "query/flags.h"

namespace zeroshelf {
namespace {

struct DuplicateOptions {
  std::filesystem::path collection;
  std::optional<DuplicateKind> kind;  // absent: all
  DuplicateLimits limits;
  OutputFormat format = OutputFormat::Table;
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
    fmt::format_to(std::back_inserter(rows), "{:5} {:12} {} {}\n", number,
                   duplicate_kind_name(group.kind),
                   table_cell(joined_text(collection.words(row)), 30),
                   printable(collection.record(row).file.path));
  }
  return rows;
}

std::string group_paths(const View& collection, const DuplicateGroup& group) {
  std::string paths;
  for (const Row row : group.rows) paths += collection.record(row).file.path + '\0';
  return paths;
}

std::string group_text(const View& collection, size_t number, const DuplicateGroup& group,
                       OutputFormat format) {
  if (format == OutputFormat::Jsonl) return group_json(collection, group);
  if (format == OutputFormat::NulPaths) return group_paths(collection, group);
  return group_rows(collection, number, group);
}

int run_duplicates(const DuplicateOptions& options) {
  const View collection = View::open(options.collection);
  OutputStream out(stdout, "standard output");
  size_t number = 0;
  for (const DuplicateGroup& group : find_duplicates(collection, options.limits)) {
    if (options.kind && options.kind != group.kind) continue;
    if (number == 0 && options.format == OutputFormat::Table)
      out.write("GROUP KIND         TEXT                           PATH\n");
    ++number;
    out.write(group_text(collection, number, group, options.format));
  }
  out.flush();
  return number == 0 ? kNothingFound : kDone;
}

}  // namespace

void add_duplicates(Program& program) {
  const auto shared = std::make_shared<DuplicateOptions>();
  DuplicateOptions& options = *shared;
  CLI::App* command = program.add_command(
      "duplicates",
      "Groups of the same picture, of one picture with other words, and of same words",
      [shared] { return run_duplicates(*shared); });
  add_collection(command, options.collection);
  std::vector<Choice<std::optional<DuplicateKind>>> kinds = {{"all", std::nullopt}};
  for (const DuplicateKind kind :
       {DuplicateKind::SamePicture, DuplicateKind::OtherWords, DuplicateKind::SameWords})
    kinds.push_back({duplicate_kind_name(kind), kind});
  add_choice(command, "--kind", options.kind, kinds, "Only groups of this kind");
  command
      ->add_option("--cosine", options.limits.picture_cosine,
                   "From which cosine on pictures are nearly the same")
      ->check(CLI::Range(0.5, 1.0))
      ->capture_default_str();
  command
      ->add_option("--same-words", options.limits.same_words,
                   "The share of words that the same words have in common")
      ->check(CLI::Range(0.1, 1.0))
      ->capture_default_str();
  command->add_option("--threads", options.limits.threads, "0: every core")->capture_default_str();
  CLI::Option* format =
      add_format(command, options.format, {OutputFormat::Table, OutputFormat::Jsonl});
  add_null_flag(command, options.format, format);
}

}  // namespace zeroshelf
