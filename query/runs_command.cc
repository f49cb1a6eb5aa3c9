// runs: what is kept with a collection, and removing it. Tested by
// tests/programs/evaluation_commands_test.cc.

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "lib/collection/attachments.h"
#include "lib/collection/foreign.h"
#include "lib/labelling/current_run.h"
#include "lib/program/message.h"
#include "lib/program/values.h"
#include "lib/report/formats.h"
#include "lib/report/kept_things.h"
#include "lib/report/messages.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/output_stream.h"
#include "lib/util/suggest.h"
#include "lib/util/text.h"
#include "query/commands.h"
#include "query/flags.h"
#include "query/together.h"

namespace zeroshelf {
namespace {

struct RunsOptions {
  std::vector<std::filesystem::path> collections;
  std::string kind = "runs";
  std::string remove;
  std::string keep_current;
  std::filesystem::path export_to;
  std::string mode = "symlink";
  bool keywords = false;
  std::string root = "zeroshelf";  // a keyword
  std::string not_current;
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

[[noreturn]] void not_there(const View& collection, const std::string& name,
                            std::string_view kind) {
  const auto names = collection.attachments().names(kind);
  const std::string meant = did_you_mean(name, names);
  throw Error(ErrorCode::NotFound, name,
              kind == kCurrentKind
                  ? fmt::format("no run of that name is kept current{}", meant)
                  : fmt::format("there is nothing of that name in {}{}", kind, meant),
              meant.empty() ? "zeroshelf-query runs lists them" : "");
}

int remove(const View& collection, const RunsOptions& options) {
  Attachments::check_name("--remove", options.remove);
  const bool done = options.kind == kRunKind
                        ? remove_run(collection, options.remove)
                        : collection.attachments().remove(options.kind, options.remove);
  if (!done) not_there(collection, options.remove, options.kind);
  return kDone;
}

int start_keeping(const View& collection, const RunsOptions& options) {
  if (collection.parts().size() > 1)
    throw Error(ErrorCode::InvalidArgument, "--keep-current",
                "zeroshelf-index watch keeps the runs of one collection, and these are several",
                "name one of them");
  CurrentRun current;
  current.mode = options.mode;
  if (!options.export_to.empty()) {
    expect_outside_collections(options.export_to);
    current.export_to = absolute_path(options.export_to).string();
  }
  if (options.keywords) current.keyword_root = options.root;
  keep_current(collection, options.keep_current, current);
  say("zeroshelf-index watch keeps {} current\n", options.keep_current);
  return kDone;
}

int end_keeping(const View& collection, const RunsOptions& options) {
  Attachments::check_name("--not-current", options.not_current);
  if (!collection.attachments().remove(kCurrentKind, options.not_current))
    not_there(collection, options.not_current, kCurrentKind);
  return kDone;
}

int run_runs(const RunsOptions& options) {
  const View collection = open_to_ask(options.collections);
  if (!options.keep_current.empty()) return start_keeping(collection, options);
  if (!options.not_current.empty()) return end_keeping(collection, options);
  return options.remove.empty() ? list(collection, options) : remove(collection, options);
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
  CLI::Option* kind = command->get_option("--kind");
  CLI::Option* removed = command->get_option("--remove");
  CLI::Option* kept =
      command
          ->add_option("--keep-current", options.keep_current,
                       "Label new pictures as this run did, while zeroshelf-index watch indexes "
                       "them; watch prints the answers")
          ->type_name("NAME")
          ->excludes(kind)
          ->excludes(removed);
  CLI::Option* export_to =
      command
          ->add_option(
              "--export-to", options.export_to,
              "With --keep-current: also put new pictures into folders by label, in a new folder "
              "below this one each time")
          ->type_name("DIR")
          ->needs(kept);
  command->add_option("--mode", options.mode, "With --export-to: how pictures get into folders")
      ->check(one_of({"symlink", "hardlink", "copy"}))
      ->needs(export_to)
      ->capture_default_str();
  CLI::Option* keywords = command
                              ->add_flag("--keywords", options.keywords,
                                         "With --keep-current: also write the label of new "
                                         "pictures as a keyword into a sidecar, as "
                                         "export --format xmp does")
                              ->needs(kept);
  command
      ->add_option("--root", options.root,
                   "With --keywords: the keyword under which labels are put")
      ->check([](const std::string& root) {
        return root.empty() ? std::string("is empty") : std::string();
      })
      ->type_name("KEYWORD")
      ->needs(keywords)
      ->capture_default_str();
  command
      ->add_option("--not-current", options.not_current,
                   "Stop labelling new pictures as this run did")
      ->type_name("NAME")
      ->excludes(kind)
      ->excludes(removed)
      ->excludes(kept);
  add_format(command, options.format, {OutputFormat::Table, OutputFormat::Jsonl});
}

}  // namespace zeroshelf
