// undo: puts back what an export moved. Tested by tests/programs/undo_test.cc.

#include "query/commands.h"

#include <fmt/format.h>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "lib/export/move_journal.h"
#include "lib/program/message.h"
#include "lib/util/error.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

int run_undo(const std::filesystem::path& directory) {
  const UndoReport report =
      undo_moves(directory, [](const Error& error) { warn("zeroshelf-query", error.what()); });
  say("{} files put back, {} were where they belong{}\n", with_thousands(report.put_back),
      with_thousands(report.never_moved),
      report.problems > 0
          ? fmt::format(", {} could not be put back", with_thousands(report.problems))
          : "");
  return report.problems > 0 ? kFailed : kDone;
}

}  // namespace

void add_undo(Program& program) {
  const auto directory = std::make_shared<std::filesystem::path>();
  CLI::App* command = program.add_command("undo", "Put every file back that an export moved",
                                          [directory] { return run_undo(*directory); });
  command->add_option("DIR", *directory, "The folder of the export with --mode move")->required();
}

}  // namespace zeroshelf
