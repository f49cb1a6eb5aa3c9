// undo: puts back what an export moved. Tested by tests/programs/export_test.cc and
// everyday_test.cc.

#include "query/commands.h"

#include <fmt/format.h>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "lib/export/follow_moves.h"
#include "lib/export/move_journal.h"
#include "lib/program/message.h"
#include "lib/util/error.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr const char* kProgram = "zeroshelf-query";

void follow(const ExportedMoves& moves) {
  for (const auto& [collection, files] : moves) {
    try {
      follow_moves(collection, files);
    } catch (const Error& error) {
      warn(kProgram, fmt::format("the collection could not be told where its files are: {}; run "
                                 "zeroshelf-index add with their folders",
                                 error.what()));
    }
  }
}

int run_undo(const std::filesystem::path& directory) {
  constexpr uint64_t kShown = 10;
  uint64_t told = 0;
  const UndoReport report = undo_moves(directory, [&](const Error& error) {
    if (++told <= kShown) warn(kProgram, error.what());
  });
  if (told > kShown) warn(kProgram, fmt::format("and {} more", with_thousands(told - kShown)));
  follow(report.followed_by);
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
  CLI::App* command = program.add_command(
      "undo", "Put every file back that an export moved; the collection follows",
      [directory] { return run_undo(*directory); });
  command->add_option("DIR", *directory, "The folder of the export with --mode move")->required();
}

}  // namespace zeroshelf
