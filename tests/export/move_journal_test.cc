// Moving and undoing, also when both are killed at random instants.
//
// ZEROSHELF_KILLS sets the number of kills (default 12); the seed is printed.

#include "lib/export/move_journal.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <span>

#include "lib/export/folder_export.h"
#include "lib/files/exclusive.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "tests/export/export_items.h"
#include "tests/support/growth.h"
#include "tests/support/run_and_kill.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::export_item;
using testing::file_tree;
using testing::run_and_kill;
using testing::TemporaryDirectory;

FolderExportOptions moving() {
  FolderExportOptions options;
  options.mode = ExportMode::Move;
  options.on_failure = [](const Error& error) { throw error; };
  return options;
}

UndoReport undo(const fs::path& directory) {
  return undo_moves(directory, [](const Error& error) { BOOST_ERROR(error.what()); });
}

struct Pictures {
  explicit Pictures(const fs::path& root, int count) : folder(root / "pictures") {
    for (int i = 0; i < count; ++i) {
      const std::string name = "p" + std::to_string(i % 97) + (i % 5 == 0 ? "\xff" : "") + ".jpg";
      const fs::path path = folder / ("f" + std::to_string(i / 97)) / name;
      testing::write_file(path, "picture " + std::to_string(i) + std::string(i % 4096, 'x'));
      paths.push_back(path);
    }
    before = file_tree(folder);
  }

  void move_all(const fs::path& target) const {
    FolderExport result(target, moving());
    for (size_t i = 0; i < paths.size(); ++i)
      result.add(export_item(paths[i], "label " + std::to_string(i % 3)));
    result.finish();
  }

  fs::path folder;
  std::vector<fs::path> paths;
  std::map<std::string, std::string> before;
};

// A folder on another file system than the temporary one; empty where there is none.
fs::path other_file_system() {
  struct stat here {};
  struct stat there {};
  const fs::path temporary = fs::temp_directory_path();
  for (const char* candidate : {"/dev/shm", "/var/tmp"}) {
    if (::stat(temporary.c_str(), &here) == 0 && ::stat(candidate, &there) == 0 &&
        here.st_dev != there.st_dev && ::access(candidate, W_OK) == 0) {
      return fs::path(candidate) / ("zeroshelf-test-" + std::to_string(::getpid()));
    }
  }
  return {};
}

void kill_and_undo(const fs::path& sources, const fs::path& target, int count) {
  const uint32_t seed = std::random_device()();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  const char* wanted = std::getenv("ZEROSHELF_KILLS");
  const int kills = wanted != nullptr ? std::atoi(wanted) : 12;
  const Pictures pictures(sources, count);

  const auto start = std::chrono::steady_clock::now();
  pictures.move_all(target);
  const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(
                         std::chrono::steady_clock::now() - start)
                         .count();
  BOOST_TEST(file_tree(pictures.folder).empty());
  BOOST_TEST(undo(target).put_back == pictures.paths.size());
  BOOST_TEST(!fs::exists(target));

  int killed = 0;
  for (int cycle = 0; killed < kills && cycle < 20 * kills; ++cycle) {
    BOOST_TEST_CONTEXT("seed " << seed << " cycle " << cycle) {
      const auto after = [&] {
        return std::chrono::microseconds(random() % static_cast<uint64_t>(whole));
      };
      killed += run_and_kill([&] { pictures.move_all(target); }, after());
      // The undo is killed too, a few times.
      for (int i = static_cast<int>(random() % 3); i > 0 && fs::exists(target); --i) {
        const auto silent = [](const Error&) {};
        if (!fs::exists(target / kMoveJournalName)) break;
        killed += run_and_kill([&] { undo_moves(target, silent); }, after() / 2);
      }
      if (fs::exists(target / kMoveJournalName)) undo(target);
      BOOST_TEST((file_tree(pictures.folder) == pictures.before));
      std::error_code ignored;
      // Killed before the journal was there, maybe while it was tried what the disk can do.
      fs::remove_all(target, ignored);
      BOOST_TEST(!fs::exists(target));
    }
  }
  BOOST_TEST(killed > 0);
}

BOOST_AUTO_TEST_SUITE(move_journal)

BOOST_AUTO_TEST_CASE(what_was_moved_is_put_back) {
  const TemporaryDirectory directory;
  const Pictures pictures(directory.path(), 300);
  pictures.move_all(directory / "out");
  BOOST_TEST(file_tree(pictures.folder).empty());
  BOOST_TEST(fs::exists(directory / "out" / "label 0" / "p0%FF.jpg"));
  fs::remove_all(pictures.folder);  // empty folders: they are made again
  const UndoReport report = undo(directory / "out");
  BOOST_TEST(report.put_back == 300u);
  BOOST_TEST(report.problems == 0u);
  BOOST_TEST((file_tree(pictures.folder) == pictures.before));
  BOOST_TEST(!fs::exists(directory / "out"));
}

BOOST_AUTO_TEST_CASE(killed_at_random_instants_everything_comes_back) {
  const TemporaryDirectory directory;
  kill_and_undo(directory.path(), directory / "out", 600);
}

BOOST_AUTO_TEST_CASE(killed_between_two_file_systems_everything_comes_back) {
  const fs::path other = other_file_system();
  if (other.empty()) {
    BOOST_TEST_MESSAGE("skipped: one file system only");
    return;
  }
  const TemporaryDirectory directory;
  kill_and_undo(other, directory / "out", 40);
  fs::remove_all(other);
}

BOOST_AUTO_TEST_CASE(undo_never_overwrites_and_goes_on_when_the_way_is_free) {
  const TemporaryDirectory directory;
  const Pictures pictures(directory.path(), 3);
  pictures.move_all(directory / "out");
  testing::write_file(pictures.paths[1], "something new");
  std::vector<std::string> problems;
  const auto report =
      undo_moves(directory / "out", [&](const Error& error) { problems.push_back(error.what()); });
  BOOST_TEST(report.put_back == 2u);
  BOOST_REQUIRE(problems.size() == 1u);
  BOOST_TEST(problems[0].find("something else is there now") != std::string::npos);
  BOOST_TEST(read_file(pictures.paths[1], 100) == "something new");
  BOOST_TEST(fs::exists(directory / "out" / "label 1" / "p1.jpg"));

  fs::remove(pictures.paths[1]);
  BOOST_TEST(undo(directory / "out").put_back == 1u);
  BOOST_TEST((file_tree(pictures.folder) == pictures.before));
  BOOST_TEST(!fs::exists(directory / "out"));
}

BOOST_AUTO_TEST_CASE(files_of_others_in_the_folder_stay) {
  const TemporaryDirectory directory;
  const Pictures pictures(directory.path(), 3);
  pictures.move_all(directory / "out");
  testing::write_file(directory / "out" / "label 0" / "note.txt", "mine");
  undo(directory / "out");
  BOOST_TEST((file_tree(pictures.folder) == pictures.before));
  BOOST_TEST(read_file(directory / "out" / "label 0" / "note.txt", 100) == "mine");
  BOOST_TEST(!fs::exists(directory / "out" / kMoveJournalName));
}

BOOST_AUTO_TEST_CASE(a_picture_that_is_gone_from_both_places_is_told) {
  const TemporaryDirectory directory;
  const Pictures pictures(directory.path(), 3);
  pictures.move_all(directory / "out");
  fs::remove(directory / "out" / "label 2" / "p2.jpg");
  uint64_t told = 0;
  const auto report = undo_moves(directory / "out", [&](const Error& error) {
    ++told;
    BOOST_TEST((error.code() == ErrorCode::NotFound));
  });
  BOOST_TEST(told == 1u);
  BOOST_TEST(report.put_back == 2u);
  BOOST_TEST(fs::exists(directory / "out" / kMoveJournalName));
}

BOOST_AUTO_TEST_CASE(the_earlier_of_two_exports_says_to_undo_the_later_one_first) {
  const TemporaryDirectory directory;
  const Pictures pictures(directory.path(), 3);
  pictures.move_all(directory / "first");
  const fs::path moved = directory / "first" / "label 1" / "p1.jpg";
  FolderExport second(directory / "second", moving());
  second.add(export_item(moved, "label"));
  second.finish();
  std::vector<std::string> cures;
  const auto report =
      undo_moves(directory / "first", [&](const Error& error) { cures.push_back(error.cure()); });
  BOOST_TEST(told_undo(report) ==
             "2 files put back, 0 were where they belong, 1 could not be put back");
  BOOST_REQUIRE(cures.size() == 1u);
  BOOST_TEST(cures[0].find("undo that one first") != std::string::npos, cures[0]);
  undo(directory / "second");
  undo(directory / "first");
  BOOST_TEST((file_tree(pictures.folder) == pictures.before));
}

BOOST_AUTO_TEST_CASE(only_the_file_that_was_indexed_is_moved) {
  const TemporaryDirectory directory;
  testing::write_file(directory / "a.jpg", "picture");
  testing::write_file(directory / "b.jpg", "picture");
  fs::create_symlink(directory / "a.jpg", directory / "link.jpg");
  std::vector<std::string> failures;
  FolderExportOptions options = moving();
  options.on_failure = [&](const Error& error) { failures.push_back(error.what()); };
  FolderExport result(directory / "out", options);
  ExportItem changed = export_item(directory / "b.jpg", "cat");
  changed.mtime_ns += 1;
  result.add(changed);
  ExportItem exchanged = export_item(directory / "b.jpg", "cat");
  exchanged.content[0] ^= 1;  // of the same size and time
  result.add(exchanged);
  result.add(export_item(directory / "link.jpg", "cat"));
  result.add(export_item(directory / "a.jpg", "cat"));
  result.finish();
  BOOST_REQUIRE(failures.size() == 3u);
  BOOST_TEST(failures[0].find("changed since it was indexed") != std::string::npos);
  BOOST_TEST(failures[1].find("changed since it was indexed") != std::string::npos);
  BOOST_TEST(failures[2].find("a link") != std::string::npos);
  BOOST_TEST(fs::exists(directory / "b.jpg"));
  BOOST_TEST(fs::is_symlink(directory / "link.jpg"));
  BOOST_TEST(fs::exists(directory / "out" / "cat" / "a.jpg"));
}

BOOST_AUTO_TEST_CASE(a_name_that_somebody_took_meanwhile_is_passed_over) {
  const TemporaryDirectory directory;
  testing::write_file(directory / "a.jpg", "picture");
  FolderExport result(directory / "out", moving());
  result.add(export_item(directory / "a.jpg", "cat"));
  testing::write_file(directory / "out" / "cat" / "a.jpg", "somebody's");
  result.finish();
  BOOST_TEST(read_file(directory / "out" / "cat" / "a.jpg", 100) == "somebody's");
  BOOST_TEST(read_file(directory / "out" / "cat" / "a (2).jpg", 100) == "picture");
  BOOST_TEST(undo(directory / "out").put_back == 1u);
  BOOST_TEST(read_file(directory / "a.jpg", 100) == "picture");
  BOOST_TEST(read_file(directory / "out" / "cat" / "a.jpg", 100) == "somebody's");
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_exchanged_while_pictures_move_gets_none) {
  const TemporaryDirectory directory;
  const Pictures pictures(directory.path(), 6);
  fs::create_directory(directory / "theirs");
  std::vector<std::string> failures;
  FolderExportOptions options = moving();
  options.on_failure = [&](const Error& error) { failures.push_back(error.what()); };
  uint64_t placed = 0;
  options.on_placed = [&](const ExportItem&, const fs::path& target) {
    // When the first picture is in it, somebody puts a link there.
    if (placed++ > 0 || target.parent_path() != "label 0") return;
    fs::rename(directory / "out" / "label 0", directory / "out" / "away");
    fs::create_directory_symlink(directory / "theirs", directory / "out" / "label 0");
    fs::create_directory_symlink(directory / "theirs", directory / "out" / "label 1");
  };
  FolderExport result(directory / "out", options);
  for (size_t i = 0; i < pictures.paths.size(); ++i)
    result.add(export_item(pictures.paths[i], "label " + std::to_string(i % 3)));
  result.finish();
  BOOST_TEST(fs::is_empty(directory / "theirs"));
  BOOST_TEST(failures.size() == 3u);
  BOOST_TEST(fs::exists(pictures.paths[1]));
  // What was moved is where it was moved to, and comes back when the folders have their names.
  fs::remove(directory / "out" / "label 0");
  fs::remove(directory / "out" / "label 1");
  fs::rename(directory / "out" / "away", directory / "out" / "label 0");
  undo(directory / "out");
  BOOST_TEST((file_tree(pictures.folder) == pictures.before));
}

BOOST_AUTO_TEST_CASE(a_journal_of_another_user_is_not_believed) {
  const TemporaryDirectory directory;
  testing::write_file(directory / "out" / "cat" / "a.jpg", "picture");
  {
    MoveJournal journal(directory / "out");
    journal.plan(directory / "a.jpg", "cat/a.jpg");
    journal.sync();
  }
  const fs::path journal = directory / "out" / kMoveJournalName;
  const auto expect_refused = [&](const std::string& told) {
    BOOST_CHECK_EXCEPTION(undo(directory / "out"), Error, [&](const Error& error) {
      return error.code() == ErrorCode::InvalidArgument &&
             error.cause().find(told) != std::string::npos;
    });
    BOOST_TEST(fs::exists(directory / "out" / "cat" / "a.jpg"));
    BOOST_TEST(!fs::exists(directory / "a.jpg"));
  };
  if (::geteuid() == 0) {
    constexpr uid_t kSomebody = 12'345;
    BOOST_REQUIRE(::chown(journal.c_str(), kSomebody, static_cast<gid_t>(-1)) == 0);
    expect_refused("another user's (12345)");
    BOOST_REQUIRE(::chown(journal.c_str(), 0, static_cast<gid_t>(-1)) == 0);
  }
  fs::create_hard_link(journal, directory / "second");
  expect_refused("a second name");
  fs::remove(directory / "second");
  BOOST_TEST(undo(directory / "out").put_back == 1u);
}

BOOST_AUTO_TEST_CASE(an_undo_removes_only_what_the_export_wrote) {
  const TemporaryDirectory directory;
  const Pictures pictures(directory.path(), 3);
  pictures.move_all(directory / "out");
  const std::string written = read_file(directory / "out" / "manifest.jsonl", 1 << 20);
  testing::write_file(directory / "out" / "manifest.jsonl", written + "and a note of mine\n");
  testing::write_file(directory / "out" / "labels.json", "{\"mine\": 1}");
  BOOST_TEST(undo(directory / "out").put_back == 3u);
  BOOST_TEST((file_tree(pictures.folder) == pictures.before));
  BOOST_TEST(read_file(directory / "out" / "labels.json", 100) == "{\"mine\": 1}");
  BOOST_TEST(read_file(directory / "out" / "manifest.jsonl", 1 << 20) ==
             written + "and a note of mine\n");
}

BOOST_AUTO_TEST_CASE(a_damaged_line_keeps_one_file_and_a_cut_tail_none) {
  const TemporaryDirectory directory;
  const Pictures pictures(directory.path(), 3);
  pictures.move_all(directory / "out");
  const fs::path journal = directory / "out" / kMoveJournalName;
  const std::string sound = read_file(journal, 1 << 20);
  const auto write_damaged = [&](size_t at) {
    std::string damaged = sound;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    std::ofstream(journal, std::ios::trunc) << damaged;
  };
  write_damaged(3);
  BOOST_CHECK_EXCEPTION(undo(directory / "out"), Error,
                        [](const Error& error) { return error.code() == ErrorCode::Corruption; });
  BOOST_TEST(file_tree(pictures.folder).empty());

  // Only the manifest knows then which file it was.
  const fs::path manifest = directory / "out" / "manifest.jsonl";
  const std::string exported = read_file(manifest, 1 << 20);
  fs::remove(manifest);
  write_damaged(sound.find("p1.jpg"));
  std::vector<std::string> problems;
  const auto report =
      undo_moves(directory / "out", [&](const Error& error) { problems.push_back(error.what()); });
  BOOST_TEST(report.put_back == 2u);
  BOOST_REQUIRE(problems.size() == 1u);
  BOOST_TEST(problems[0].find("line 3 is damaged") != std::string::npos);

  testing::write_file(manifest, exported);
  problems.clear();
  undo_moves(directory / "out", [&](const Error& error) { problems.push_back(error.what()); });
  BOOST_REQUIRE(problems.size() == 1u);
  BOOST_TEST(problems[0].find("it was " + (pictures.folder / "f0" / "p1.jpg").string()) !=
             std::string::npos);

  std::ofstream(journal, std::ios::trunc) << sound << "move\t/x\ty";
  BOOST_TEST(undo(directory / "out").put_back == 1u);
  BOOST_TEST((file_tree(pictures.folder) == pictures.before));
}

BOOST_AUTO_TEST_CASE(nothing_is_forgotten_where_lines_of_the_journal_are_missing_or_damaged) {
  const auto lines_of = [](const std::string& text, size_t count) {
    size_t end = 0;
    for (size_t i = 0; i < count; ++i) end = text.find('\n', end) + 1;
    return text.substr(0, end);
  };
  const auto renamed = [](std::string text) {
    for (size_t at = 0; (at = text.find("/pictures/", at)) != std::string::npos; at += 10)
      text.replace(at, 10, "/elsewhere/");
    return text;
  };
  const std::vector<std::function<std::string(const std::string&)>> damages = {
      [](const std::string&) { return std::string(); },
      [&](const std::string& text) { return lines_of(text, 1); },
      [&](const std::string& text) { return lines_of(text, 2); },
      [&](const std::string& text) {
        const std::string sound = lines_of(text, 2);
        return sound + renamed(text.substr(sound.size()));
      },
      renamed,
  };
  for (const bool has_manifest : {true, false}) {
    for (size_t i = 0; i < damages.size(); ++i) {
      const bool is_sound = i == 1 || i == 2;  // without the manifest nothing tells
      if (!has_manifest && is_sound) continue;
      BOOST_TEST_CONTEXT("damage " << i << (has_manifest ? "" : " without the manifest")) {
        const TemporaryDirectory directory;
        const Pictures pictures(directory.path(), 3);
        pictures.move_all(directory / "out");
        const fs::path journal = directory / "out" / kMoveJournalName;
        const fs::path manifest = directory / "out" / "manifest.jsonl";
        const std::string damaged = damages[i](read_file(journal, 1 << 20));
        std::ofstream(journal, std::ios::trunc) << damaged;
        if (!has_manifest) fs::remove(manifest);
        size_t told = 0;
        const auto report = undo_moves(directory / "out", [&](const Error&) { ++told; });
        BOOST_TEST(report.problems > 0u);
        BOOST_TEST(told == report.problems);
        BOOST_TEST(read_file(journal, 1 << 20) == damaged);
        BOOST_TEST(fs::exists(manifest) == has_manifest);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_journal_is_read_in_a_time_that_goes_with_its_size) {
  const TemporaryDirectory directory;
  const fs::path out = directory / "out";
  const auto all_kept = [&](size_t size) {
    fs::create_directory(out);
    {
      MoveJournal journal(out);
      const auto picture = [](size_t i) { return "/pictures/" + std::to_string(i); };
      for (size_t i = 0; i < size; ++i) journal.plan(picture(i), std::to_string(i));
      for (size_t i = 0; i < size; ++i) journal.note_kept(picture(i), std::to_string(i));
      journal.sync();
    }
    std::string content = read_file(out / kMoveJournalName, 1 << 30);
    fs::remove_all(out);
    return content;
  };
  const auto read = [&](const std::string& content) {
    testing::write_file(out / kMoveJournalName, content);
    BOOST_TEST(undo(out).never_moved == 0u);
    BOOST_TEST(!fs::exists(out));
  };
  BOOST_TEST(testing::growth_over_four_sizes(4'000, all_kept, read) < testing::kLinearGrowth);
}

BOOST_AUTO_TEST_CASE(a_journal_moves_nothing_that_is_outside_its_folder) {
  const TemporaryDirectory directory;
  testing::write_file(directory / "secret", "kept");
  fs::create_directory(directory / "out");
  MoveJournal(directory / "out").plan(directory / "stolen", "../secret");
  const auto report = undo_moves(directory / "out", [](const Error&) {});
  BOOST_TEST(report.put_back == 0u);
  BOOST_TEST(fs::exists(directory / "secret"));
  BOOST_TEST(!fs::exists(directory / "stolen"));
}

BOOST_AUTO_TEST_CASE(a_journal_moves_neither_itself_nor_what_is_behind_a_link) {
  const TemporaryDirectory directory;
  testing::write_file(directory / "elsewhere" / "secret", "kept");
  fs::create_directory(directory / "out");
  fs::create_directory_symlink(directory / "elsewhere", directory / "out" / "cat");
  {
    MoveJournal journal(directory / "out");
    journal.plan(directory / "a.jpg", kMoveJournalName);
    journal.plan(directory / "b.jpg", "cat/secret");
    journal.sync();
  }
  std::vector<std::string> problems;
  const auto report =
      undo_moves(directory / "out", [&](const Error& error) { problems.push_back(error.what()); });
  BOOST_TEST(report.put_back == 0u);
  BOOST_REQUIRE(problems.size() == 2u);
  BOOST_TEST(problems[0].find("line 2 is damaged") != std::string::npos);
  BOOST_TEST(problems[1].find("leads through a link") != std::string::npos);
  BOOST_TEST(fs::exists(directory / "elsewhere" / "secret"));
  BOOST_TEST(fs::exists(directory / "out" / kMoveJournalName));
}

// Cut at the NUL, the place below the folder would be the folder itself.
BOOST_AUTO_TEST_CASE(a_journal_moves_no_folders_and_reads_no_bytes_that_it_would_not_write) {
  const TemporaryDirectory directory;
  testing::write_file(directory / "out" / "cat" / "a.jpg", "picture");
  {
    MoveJournal journal(directory / "out");
    journal.plan(directory / "stolen", "cat");
    journal.sync();
  }
  const auto sealed = [](const std::string& line) {
    std::string seal(17, '\0');
    std::snprintf(seal.data(), seal.size(), "%016llx",
                  static_cast<unsigned long long>(checksum64(std::as_bytes(std::span(line)))));
    return line + seal.substr(0, 16) + "\n";
  };
  const fs::path journal = directory / "out" / kMoveJournalName;
  const std::string folder_line = read_file(journal, 1 << 20);
  const std::string stolen = (directory / "stolen").string();
  std::ofstream(journal, std::ios::trunc)
      << "zeroshelf-moves 1\n"
      << sealed("move\t" + stolen + "\t" + std::string("\0x.jpg", 6) + "\t")
      << folder_line.substr(folder_line.find('\n') + 1);
  std::vector<std::string> problems;
  const auto report =
      undo_moves(directory / "out", [&](const Error& error) { problems.push_back(error.what()); });
  BOOST_TEST(report.put_back == 0u);
  BOOST_REQUIRE(problems.size() == 2u);
  BOOST_TEST(problems[0].find("line 2 is damaged") != std::string::npos);
  BOOST_TEST(problems[1].find("not a file that an export has moved") != std::string::npos);
  BOOST_TEST(fs::exists(directory / "out" / "cat" / "a.jpg"));
  BOOST_TEST(!fs::exists(directory / "stolen"));
}

// --- collections ---------------------------------------------------------------------------------

// What an undo tells of each collection.
using Told = std::map<std::string, std::map<std::string, std::string>>;
Told told_by_undo(const fs::path& directory) {
  Told told;
  undo_moves(
      directory, [](const Error& error) { BOOST_ERROR(error.what()); },
      [&](const fs::path& collection, const std::vector<MovedFile>& files) {
        BOOST_TEST(fs::exists(directory / kMoveJournalName));  // nothing is forgotten before
        for (const MovedFile& file : files) told[collection.string()][file.from] = file.to;
      });
  return told;
}

BOOST_AUTO_TEST_CASE(collections_are_told_of_every_move_whatever_the_manifest_has) {
  for (const bool has_manifest : {true, false}) {
    const TemporaryDirectory directory;
    const Pictures pictures(directory.path(), 5);
    FolderExportOptions options = moving();
    options.collections = {"/shelf \xff", "/other"};
    {
      FolderExport result(directory / "out", options);
      for (const fs::path& path : pictures.paths) result.add(export_item(path, "cat"));
      result.finish();
    }
    if (!has_manifest) fs::remove(directory / "out" / "manifest.jsonl");
    const Told told = told_by_undo(directory / "out");
    BOOST_TEST((file_tree(pictures.folder) == pictures.before));
    BOOST_REQUIRE(told.size() == 2u);
    BOOST_TEST(told.at("/shelf \xff").size() == 5u);
    BOOST_TEST((told.at("/other") == told.at("/shelf \xff")));
    BOOST_TEST(told.at("/other").at((directory / "out" / "cat" / "p1.jpg").string()) ==
               pictures.paths[1].string());
    BOOST_TEST(!fs::exists(directory / "out"));
  }
}

// Which named no collections; their manifests did.
BOOST_AUTO_TEST_CASE(journals_of_earlier_versions_are_undone_and_followed) {
  const TemporaryDirectory directory;
  const Pictures pictures(directory.path(), 5);
  pictures.move_all(directory / "out");
  const fs::path journal = directory / "out" / kMoveJournalName;
  const std::string lines = read_file(journal, 1 << 20);
  std::ofstream(journal, std::ios::trunc) << "zeroshelf-moves 1\n"
                                          << lines.substr(lines.find('\n') + 1);
  testing::write_file(
      directory / "out" / "manifest.jsonl",
      R"({"type":"exported","path": "/a", "exported": "cat/a.jpg", "collection": "/shelf"})");
  const Told told = told_by_undo(directory / "out");
  BOOST_TEST((file_tree(pictures.folder) == pictures.before));
  BOOST_REQUIRE(told.size() == 1u);
  BOOST_TEST(told.at("/shelf").size() == 5u);
  testing::write_file(directory / "cut" / kMoveJournalName, "zeroshelf-moves 1");
  BOOST_TEST(told_by_undo(directory / "cut").empty());
  BOOST_TEST(!fs::exists(directory / "cut"));
}

BOOST_AUTO_TEST_CASE(what_could_not_be_moved_counts_as_where_it_belongs) {
  const TemporaryDirectory directory;
  const Pictures pictures(directory.path(), 6);
  fs::create_directories(directory / "out" / "cat");
  fs::remove(pictures.paths[4]);
  {
    MoveJournal journal(directory / "out");
    for (size_t i = 0; i < pictures.paths.size(); ++i) {
      const std::string to = "cat/" + std::to_string(i);
      journal.plan(pictures.paths[i], to);
      if (i == 1) fs::rename(pictures.paths[i], directory / "out" / to);
      if (i >= 2) journal.note_kept(pictures.paths[i], to);
    }
    // Its first name was taken.
    journal.plan(pictures.paths[2], "cat/2 (2)");
    fs::rename(pictures.paths[2], directory / "out" / "cat" / "2 (2)");
    journal.sync();
  }
  const UndoReport report = undo(directory / "out");
  BOOST_TEST(report.put_back == 2u);     // 1 and 2
  BOOST_TEST(report.never_moved == 3u);  // 0, 3 and 5; 4 is gone
}

BOOST_AUTO_TEST_CASE(a_folder_without_a_journal_or_with_a_running_export_is_refused) {
  const TemporaryDirectory directory;
  testing::write_file(directory / "a.jpg", "picture");
  BOOST_CHECK_EXCEPTION(undo(directory.path()), Error,
                        [](const Error& error) { return error.code() == ErrorCode::NotFound; });
  FolderExport running(directory / "out", moving());
  running.add(export_item(directory / "a.jpg", "cat"));
  BOOST_CHECK_EXCEPTION(undo(directory / "out"), Error,
                        [](const Error& error) { return error.code() == ErrorCode::Unavailable; });
  running.finish();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
