// undo: puts back what an export moved, or changed. Tested by tests/programs/export_test.cc,
// everyday_test.cc and keywords_test.cc.

#include "query/commands.h"

#include <fmt/format.h>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include "lib/export/follow_moves.h"
#include "lib/export/follow_rewrites.h"
#include "lib/export/keyword_journal.h"
#include "lib/export/move_journal.h"
#include "lib/program/message.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr const char* kProgram = "zeroshelf-query";

void follow(const std::filesystem::path& collection, const std::vector<MovedFile>& files,
            const std::filesystem::path& folder) {
  try {
    follow_moves(collection, files, folder);
  } catch (const Error& error) {
    warn(kProgram, fmt::format("the collection could not be told where its files are: {}; run "
                               "zeroshelf-index add with their folders",
                               error.what()));
  }
}

// Problems: the first few, and how many more there were.
class ProblemTeller {
 public:
  void tell(const Error& error) {
    if (++told_ <= kShown) warn(kProgram, error.what());
  }
  void tell_rest() const {
    if (told_ > kShown) warn(kProgram, fmt::format("and {} more", with_thousands(told_ - kShown)));
  }

 private:
  static constexpr uint64_t kShown = 3;
  uint64_t told_ = 0;
};

int undo_moves_of(const std::filesystem::path& directory) {
  ProblemTeller problems;
  const UndoReport report = undo_moves(
      directory, [&](const Error& error) { problems.tell(error); },
      [&](const std::filesystem::path& collection, const std::vector<MovedFile>& files) {
        follow(collection, files, absolute_path(directory));
      });
  problems.tell_rest();
  say("{}\n", told_undo(report));
  return report.problems > 0 ? kFailed : kDone;
}

int undo_keywords_of(const std::filesystem::path& directory) {
  ProblemTeller problems;
  const KeywordUndoReport report =
      undo_keywords(directory, [&](const Error& error) { problems.tell(error); });
  problems.tell_rest();
  follow_rewrites(report.followed_by, [](const std::filesystem::path&, const Error& error) {
    warn(kProgram, fmt::format("the collection could not be told that its pictures have their old "
                               "bytes again: {}; zeroshelf-index add reads them anew",
                               error.what()));
  });
  say("{} files put back, {} were as they had been{}\n", with_thousands(report.put_back),
      with_thousands(report.never_changed),
      report.problems > 0
          ? fmt::format(", {} could not be put back", with_thousands(report.problems))
          : "");
  return report.problems > 0 ? kFailed : kDone;
}

int run_undo(const std::filesystem::path& directory) {
  std::error_code error;
  if (std::filesystem::symlink_status(directory, error).type() ==
      std::filesystem::file_type::not_found)
    throw Error(ErrorCode::NotFound, directory.string(), "no such folder",
                "where it was renamed or moved, name it as it is called now");
  return has_keyword_journal(directory) ? undo_keywords_of(directory) : undo_moves_of(directory);
}

}  // namespace

void add_undo(Program& program) {
  const auto directory = std::make_shared<std::filesystem::path>();
  CLI::App* command = program.add_command(
      "undo", "Undo an export: put moved files back, and restore files that got keywords",
      [directory] { return run_undo(*directory); });
  command
      ->add_option("DIR", *directory, "The folder of the export with --mode move or --format xmp")
      ->required();
}

}  // namespace zeroshelf
