// diff: what changed between two runs. Tested by tests/programs/judging_commands_test.cc.

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>

#include "lib/labelling/run_diff.h"
#include "lib/program/message.h"
#include "lib/report/formats.h"
#include "lib/util/output_stream.h"
#include "lib/util/text.h"
#include "query/commands.h"
#include "query/flags.h"

namespace zeroshelf {
namespace {

constexpr int kNameWidth = 24;

struct DiffOptions {
  std::filesystem::path collection;
  std::string before;
  std::string after;
  std::string format = "table";
};

std::string cell(const std::optional<std::string>& label) {
  return table_cell(label.value_or("(no answer)"), kNameWidth);
}

void append_label(std::string& out, const char* member, const std::optional<std::string>& label) {
  fmt::format_to(std::back_inserter(out), ",\"{}\":", member);
  label ? append_json_string(out, *label) : void(out += "null");
}

class DiffWriter {
 public:
  DiffWriter(OutputStream& out, const Run& before, const Run& after)
      : out_(out), before_(before), after_(after) {}

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
      out_.write(fmt::format("{} {} {}\n", cell(from(it)), cell(to(it)), printable(it.path)));
  }

  void json(const RunDiff& diff) const {
    for (const Transition& it : diff.transitions) {
      std::string line = "{\"type\":\"transition\"";
      append_label(line, "from", it.from);
      append_label(line, "to", it.to);
      out_.write(line + fmt::format(",\"pictures\":{}}}\n", it.pictures));
    }
    for (const MovedPicture& it : diff.moved) {
      std::string line = "{\"type\":\"moved\",";
      append_json_path(line, it.path);
      append_label(line, "from", from(it));
      append_label(line, "to", to(it));
      out_.write(line + fmt::format(",\"from_score\":{},\"to_score\":{}}}\n", it.before->score,
                                    it.after->score));
    }
    out_.write(fmt::format(
        "{{\"type\":\"summary\",\"same\":{},\"moved\":{},\"only_before\":{},"
        "\"only_after\":{},\"in_neither\":{}}}\n",
        diff.same, diff.moved.size(), diff.only_before, diff.only_after, diff.in_neither));
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

 private:
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

int run_diff(const DiffOptions& options) {
  const Collection collection = Collection::open(options.collection);
  const Run before = load_run(collection, options.before);
  const Run after = load_run(collection, options.after);
  const RunDiff diff = diff_runs(collection, before, after);
  OutputStream out(stdout, "standard output");
  const DiffWriter writer(out, before, after);
  if (options.format == "table") writer.table(diff);
  if (options.format == "jsonl") writer.json(diff);
  if (options.format == "csv") writer.csv(diff);
  if (options.format == kNulPaths) {
    for (const MovedPicture& it : diff.moved) out.write(it.path + '\0');
  }
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
      program.add_command("diff", "Which pictures got another label in a second run",
                          [shared] { return run_diff(*shared); });
  add_collection(command, options.collection);
  command->add_option("BEFORE", options.before, "The run before, see classify --save")->required();
  command->add_option("AFTER", options.after, "The run after")->required();
  CLI::Option* format = add_format(command, options.format, {"table", "jsonl", "csv"});
  add_null_flag(command, options.format, format,
                "Only the paths of those with another label, each ended by NUL");
}

}  // namespace zeroshelf
