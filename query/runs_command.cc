// runs: what is kept with a collection, and removing it. Tested by
// tests/programs/evaluation_commands_test.cc.

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "lib/collection/attachments.h"
#include "lib/collection/open_view.h"
#include "lib/program/values.h"
#include "lib/report/formats.h"
#include "lib/report/kept_things.h"
#include "lib/report/messages.h"
#include "lib/util/error.h"
#include "lib/util/output_stream.h"
#include "lib/util/suggest.h"
#include "lib/util/text.h"
#include "query/commands.h"
#include "query/flags.h"

namespace zeroshelf {
namespace {

struct RunsOptions {
  std::vector<std::filesystem::path> collections;
  std::string kind = "runs";
  std::string remove;
  OutputFormat format = OutputFormat::Table;
};

std::string table_line(const KeptThing& kept) {
  return fmt::format("{} {:20} {:>11} {:>6}  {}\n", table_cell(kept.name, 24),
                     printable(kept.created_utc), with_thousands(kept.pictures), kept.labels,
                     printable(kept.about));
}

int list(const View& collection, const RunsOptions& options) {
  OutputStream out(stdout, "standard output");
  const auto names = collection.attachments().names(options.kind);
  const bool table = options.format == OutputFormat::Table;
  if (table && !names.empty())
    out.write(fmt::format("{} {:20} {:>11} {:>6}  {}\n", table_cell("NAME", 24), "KEPT AT",
                          "PICTURES", "LABELS", "WHAT"));
  for (const std::string& name : names) {
    const KeptThing kept = kept_thing(collection, options.kind, name);
    out.write(table ? table_line(kept) : json_line(message_of(kept)));
  }
  out.flush();
  return names.empty() ? kNothingFound : kDone;
}

int run_runs(const RunsOptions& options) {
  const View collection = open_view(options.collections).view;
  if (options.remove.empty()) return list(collection, options);
  Attachments::check_name("--remove", options.remove);
  if (collection.attachments().remove(options.kind, options.remove)) return kDone;
  const auto names = collection.attachments().names(options.kind);
  const std::string meant = did_you_mean(options.remove, names);
  throw Error(ErrorCode::NotFound, options.remove,
              fmt::format("there is nothing of that name in {}{}", options.kind, meant),
              meant.empty() ? "zeroshelf-query runs lists them" : "");
}

}  // namespace

void add_runs(Program& program) {
  const auto shared = std::make_shared<RunsOptions>();
  RunsOptions& options = *shared;
  CLI::App* command =
      program.add_command("runs", "List what is kept with a collection, or remove it",
                          [shared] { return run_runs(*shared); });
  add_collections(command, options.collections);
  command->add_option("--kind", options.kind, "What to list or remove")
      ->check(one_of({"runs", "calibrations", "classifiers"}))
      ->capture_default_str();
  command->add_option("--remove", options.remove, "Remove the one of this name")->type_name("NAME");
  add_format(command, options.format, {OutputFormat::Table, OutputFormat::Jsonl});
}

}  // namespace zeroshelf
