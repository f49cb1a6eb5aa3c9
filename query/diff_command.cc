// diff: what changed between two runs. Tested by tests/programs/evaluation_commands_test.cc.

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/labelling/run_diff.h"
#include "lib/program/message.h"
#include "lib/report/formats.h"
#include "lib/report/messages.h"
#include "lib/report/terminal_table.h"
#include "lib/util/error.h"
#include "lib/util/output_stream.h"
#include "lib/util/text.h"
#include "query/commands.h"
#include "query/flags.h"
#include "query/together.h"

namespace zeroshelf {
namespace {

constexpr int kNameWidth = 24;

struct DiffOptions {
  std::vector<std::filesystem::path> collections;
  std::string before;
  std::string after;
  OutputFormat format = OutputFormat::Table;
};

std::string cell(const std::optional<std::string>& label) {
  return table_cell(label.value_or("(no answer)"), kNameWidth);
}

class DiffWriter {
 public:
  DiffWriter(OutputStream& out, const Run& before, const Run& after)
      : out_(out), before_(before), after_(after) {}

  void write(const RunDiff& diff, OutputFormat format) const {
    switch (format) {
      case OutputFormat::Table:
        return table(diff);
      case OutputFormat::Jsonl:
        return json(diff);
      case OutputFormat::Csv:
        return csv(diff);
      case OutputFormat::Paths:
        return paths(diff, '\n');
      case OutputFormat::NulPaths:
        return paths(diff, '\0');
    }
  }

 private:
  void table(const RunDiff& diff) const {
    out_.write(fmt::format("{:>11}  {} TO\n", "PICTURES", table_cell("FROM", kNameWidth)));
    for (const Transition& it : diff.transitions) {
      out_.write(fmt::format("{:>11}  {} {}\n", with_thousands(it.pictures), cell(it.from),
                             it.is_move() ? cell(it.to) : "(the same)"));
    }
    if (diff.moved.empty()) return;
    out_.write(fmt::format("\n{} {} PATH\n", table_cell("FROM", kNameWidth),
                           table_cell("TO", kNameWidth)));
    for (const MovedPicture& it : diff.moved)
      out_.write(line_with_path(fmt::format("{} {} ", cell(from(it)), cell(to(it))), it.path, "",
                                terminal_columns(stdout)));
  }

  void json(const RunDiff& diff) const {
    for (const Transition& it : diff.transitions)
      out_.write(json_line(message::Transition{it.from, it.to, it.pictures}));
    for (const MovedPicture& it : diff.moved) {
      out_.write(
          json_line(message::Moved{it.path, from(it), to(it), it.before->score, it.after->score}));
    }
    out_.write(json_line(message::Summary{{{"same", diff.same},
                                           {"moved", diff.moved.size()},
                                           {"only_before", diff.only_before},
                                           {"only_after", diff.only_after},
                                           {"in_neither", diff.in_neither}}}));
  }

  void csv(const RunDiff& diff) const {
    out_.write("path,from,to,from_score,to_score\r\n");
    for (const MovedPicture& it : diff.moved) {
      std::string line;
      for (const std::string& text : {it.path, from(it).value_or(""), to(it).value_or("")}) {
        append_csv_cell(line, text);
        line += ',';
      }
      out_.write(line + fmt::format("{},{}\r\n", it.before->score, it.after->score));
    }
  }

  void paths(const RunDiff& diff, char end) const {
    for (const MovedPicture& it : diff.moved) out_.write(it.path + end);
  }

  std::optional<std::string> from(const MovedPicture& it) const {
    return label_name(before_, it.before->label);
  }
  std::optional<std::string> to(const MovedPicture& it) const {
    return label_name(after_, it.after->label);
  }

  OutputStream& out_;
  const Run& before_;
  const Run& after_;
};

// Both runs stand behind the collections.
void take_runs(DiffOptions& options) {
  for (std::string* run : {&options.after, &options.before}) {
    const auto last = take_last(options.collections, LastArgument::Needed);
    if (!last)
      throw Error(ErrorCode::InvalidArgument, "diff", "two runs are needed",
                  "give the collection and the names of the run before and of the run after");
    *run = *last;
  }
}

int run_diff(DiffOptions options) {
  take_runs(options);
  const View collection = open_to_ask(options.collections);
  const Run before = load_run(collection, options.before);
  const Run after = load_run(collection, options.after);
  const RunDiff diff = diff_runs(collection, before, after);
  OutputStream out(stdout, "standard output");
  DiffWriter(out, before, after).write(diff, options.format);
  out.flush();
  say("{} moved, {} the same", with_thousands(diff.moved.size()), with_thousands(diff.same));
  const uint64_t uncompared = diff.only_before + diff.only_after + diff.in_neither;
  if (uncompared > 0) say(", {} not in both runs", with_thousands(uncompared));
  say("\n");
  return diff.moved.empty() ? kNothingFound : kDone;
}

}  // namespace

void add_diff(Program& program) {
  const auto shared = std::make_shared<DiffOptions>();
  DiffOptions& options = *shared;
  CLI::App* command =
      program.add_command("diff", "List the pictures that got another label in a second run",
                          [shared] { return run_diff(*shared); });
  add_collections(command, options.collections);
  command->add_option("BEFORE", options.before, "The run before, see classify --save");
  command->add_option("AFTER", options.after, "The run after");
  CLI::Option* format = add_format(command, options.format,
                                   {OutputFormat::Table, OutputFormat::Jsonl, OutputFormat::Csv});
  add_null_flag(command, options.format, format,
                "Only the paths of those with another label, each ended by NUL");
}

}  // namespace zeroshelf
