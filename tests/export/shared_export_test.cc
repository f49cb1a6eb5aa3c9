// Several processes that place some of the pictures each, with threads in their place, beside one
// that places all; also when all of them are killed at random instants, and so is the undo.
//
// ZEROSHELF_KILLS sets the number of kills (default 8); the seed is printed.

#include "lib/export/folder_export.h"

#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "tests/export/export_items.h"
#include "tests/support/run_and_kill.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/thread_ranks.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::export_item;
using testing::file_tree;
using testing::run_and_kill;
using testing::TemporaryDirectory;

// Pictures of few names in many folders, in the order of their paths.
struct Pictures {
  Pictures(const fs::path& root, int count) : folder(root / "pictures") {
    for (int i = 0; i < count; ++i) {
      const fs::path path = folder / ("f" + std::to_string(100 + i / 3)) /
                            ("p" + std::to_string(i % 3) + (i % 7 == 0 ? " (2)" : "") + ".jpg");
      testing::write_file(path, "picture " + std::to_string(i));
      items.push_back(export_item(path, "label " + std::to_string(i % 2), "\"score\":0.5"));
    }
    before = file_tree(folder);
  }

  fs::path folder;
  std::vector<ExportItem> items;
  std::map<std::string, std::string> before;
};

// What a test asks of an export, and what came of it.
struct Exporting {
  ExportMode mode = ExportMode::Copy;
  std::string promise;
  std::function<void(const fs::path& target)> when_named;  // before anything is placed
  std::function<void(const ExportItem&)> on_placed;

  std::mutex mutex;
  std::vector<std::string> failures;
  std::vector<std::string> errors;  // of the processes
  uint64_t placed = 0;
  uint64_t failed = 0;

  FolderExportOptions options(Ranks* ranks) {
    FolderExportOptions options;
    options.mode = mode;
    options.promise = promise;
    options.ranks = ranks;
    options.collections = {"/of " + std::to_string(ranks == nullptr ? 0 : ranks->rank())};
    options.on_failure = [this](const Error& error) {
      const std::lock_guard lock(mutex);
      failures.emplace_back(error.what());
    };
    options.on_placed = [this](const ExportItem& item, const fs::path&) {
      if (on_placed) on_placed(item);
    };
    return options;
  }

  // When the item has been placed, there is no room left.
  void fill_disk_at(const ExportItem& last) {
    on_placed = [source = last.source](const ExportItem& item) {
      if (item.source == source) throw Error(ErrorCode::Io, "out", "the disk is full");
    };
  }

  void by_one(const fs::path& target, const std::vector<ExportItem>& items) {
    FolderExport result(target, options(nullptr));
    for (const ExportItem& item : items) result.add(item);
    result.finish();
    placed = result.placed();
    failed = result.failed();
  }

  // Some runs of them each, as of collections.
  void by(size_t size, const std::vector<fs::path>& targets, const std::vector<ExportItem>& items) {
    testing::run_ranks(size, [&](Ranks& ranks) {
      try {
        FolderExport result(targets[std::min(ranks.rank(), targets.size() - 1)], options(&ranks));
        const auto for_own = [&](const auto& visit) {
          ranks.agree_after([&] {
            for (size_t i = 0; i < items.size(); ++i) {
              if (i / 2 % size == ranks.rank()) visit(items[i]);
            }
          });
        };
        for_own([&](const ExportItem& item) { result.announce(item); });
        result.agree_on_names();
        if (ranks.is_first() && when_named) when_named(targets.front());
        ranks.agree(std::nullopt);
        for_own([&](const ExportItem& item) { result.add(item); });
        result.finish();
        if (ranks.is_first()) placed = result.placed();
        if (ranks.is_first()) failed = result.failed();
      } catch (const std::exception& error) {
        const std::lock_guard lock(mutex);
        errors.emplace_back(error.what());
      }
    });
  }
  void by(size_t size, const fs::path& target, const std::vector<ExportItem>& items) {
    by(size, std::vector{target}, items);
  }
};

// Every file and link below the folder with its content, without the journals.
std::map<std::string, std::string> placed_in(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().lexically_relative(folder).string();
    if (name.ends_with(".journal") || entry.is_directory()) continue;
    files[name] = read_file(entry.path(), 1 << 20);
    if (entry.is_symlink()) files[name] += " -> " + fs::read_symlink(entry.path()).string();
  }
  return files;
}

UndoReport undo_telling(const fs::path& directory, std::vector<std::string>& problems) {
  return undo_moves(directory, [&](const Error& error) { problems.emplace_back(error.what()); });
}

size_t undo(const fs::path& directory) {
  return undo_moves(directory, [](const Error& error) { BOOST_ERROR(error.what()); }).put_back;
}

BOOST_AUTO_TEST_SUITE(shared_export)

BOOST_AUTO_TEST_CASE(every_mode_makes_what_one_process_makes) {
  for (const char* mode : {"symlink", "hardlink", "copy", "move"}) {
    for (const size_t size : {1, 2, 3, 5}) {
      BOOST_TEST_CONTEXT(mode << " by " << size) {
        const TemporaryDirectory directory;
        const Pictures pictures(directory.path(), 40);
        std::map<std::string, std::string> of_one;
        for (const bool together : {false, true}) {
          Exporting exporting;
          exporting.mode = parse_export_mode(mode);
          exporting.promise = "\"at_most_wrong\":0.02";
          const fs::path target = directory / "out";
          if (together) {
            exporting.by(size, target, pictures.items);
          } else {
            exporting.by_one(target, pictures.items);
          }
          BOOST_TEST(exporting.errors.empty());
          BOOST_TEST(exporting.failures.empty());
          BOOST_TEST(exporting.placed == 40u);
          if (together) BOOST_TEST((placed_in(target) == of_one));
          of_one = placed_in(target);
          BOOST_TEST(of_one.size() == 41u);
          BOOST_TEST(of_one.contains("label 1/p1 (5).jpg"));
          if (exporting.mode == ExportMode::Move) BOOST_TEST(undo(target) == 40u);
          BOOST_TEST((file_tree(pictures.folder) == pictures.before));
          fs::remove_all(target);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_placed_takes_no_name) {
  for (const char* mode : {"symlink", "hardlink", "copy", "move"}) {
    BOOST_TEST_CONTEXT(mode) {
      const TemporaryDirectory directory;
      Pictures pictures(directory.path(), 20);
      for (const size_t i : {0, 5, 6}) pictures.items[i].size_bytes += 1;
      pictures.items[9].source = directory / "gone.jpg";
      std::map<std::string, std::string> of_one;
      std::vector<std::string> told;
      for (const bool together : {false, true}) {
        Exporting exporting;
        exporting.mode = parse_export_mode(mode);
        const fs::path target = directory / "out";
        together ? exporting.by(3, target, pictures.items)
                 : exporting.by_one(target, pictures.items);
        std::ranges::sort(exporting.failures);
        BOOST_TEST(exporting.failed == 4u);
        if (together) {
          BOOST_TEST((placed_in(target) == of_one));
          BOOST_TEST(exporting.failures == told, boost::test_tools::per_element());
        }
        of_one = placed_in(target);
        told = exporting.failures;
        if (exporting.mode == ExportMode::Move) undo(target);
        fs::remove_all(target);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(an_export_that_places_nothing_leaves_nothing) {
  for (const ExportMode mode : {ExportMode::Copy, ExportMode::Move}) {
    const TemporaryDirectory directory;
    Pictures pictures(directory.path(), 6);
    for (ExportItem& item : pictures.items) item.size_bytes += 1;
    Exporting exporting;
    exporting.mode = mode;
    exporting.by(3, directory / "out", pictures.items);
    BOOST_TEST(exporting.failures.size() == 6u);
    BOOST_TEST(exporting.failed == 6u);
    BOOST_TEST(!fs::exists(directory / "out"));
  }
}

BOOST_AUTO_TEST_CASE(an_error_in_one_of_them_ends_all_and_takes_back_what_all_made) {
  const TemporaryDirectory directory;
  const Pictures pictures(directory.path(), 30);
  Exporting exporting;
  exporting.fill_disk_at(pictures.items[21]);
  exporting.by(3, directory / "out", pictures.items);
  BOOST_TEST(exporting.errors.size() == 3u);
  BOOST_TEST(std::ranges::count_if(exporting.errors, [](const std::string& error) {
               return error.find("the disk is full") != std::string::npos;
             }) == 1);
  BOOST_TEST(!fs::exists(directory / "out"));
}

BOOST_AUTO_TEST_CASE(an_error_while_moving_leaves_all_journals_and_all_comes_back) {
  const TemporaryDirectory directory;
  const Pictures pictures(directory.path(), 30);
  Exporting exporting;
  exporting.mode = ExportMode::Move;
  exporting.fill_disk_at(pictures.items[21]);
  exporting.by(3, directory / "out", pictures.items);
  BOOST_TEST(exporting.errors.size() == 3u);
  BOOST_TEST(!fs::exists(directory / "out" / "manifest.jsonl"));
  BOOST_TEST(undo(directory / "out") > 20u);
  BOOST_TEST((file_tree(pictures.folder) == pictures.before));
  BOOST_TEST(!fs::exists(directory / "out"));
}

// Of the manifests nothing may be left: the disk was full, or the processes were killed.
BOOST_AUTO_TEST_CASE(an_undo_tells_the_collections_of_all_processes_what_their_journals_say) {
  const TemporaryDirectory directory;
  const Pictures pictures(directory.path(), 30);
  Exporting exporting;
  exporting.mode = ExportMode::Move;
  exporting.fill_disk_at(pictures.items[21]);
  exporting.by(3, directory / "out", pictures.items);
  for (const char* process : {"0", "1", "2"}) {
    const std::string name = std::string("manifest-0000") + process + "-of-00003.jsonl.unfinished";
    BOOST_TEST(fs::remove(directory / "out" / name));
  }
  std::map<std::string, size_t> told;
  uint64_t back = 0;
  const UndoReport report = undo_moves(
      directory / "out", [](const Error& error) { BOOST_ERROR(error.what()); },
      [&](const fs::path& collection, const std::vector<MovedFile>& files) {
        for (const MovedFile& file : files) back += fs::exists(file.to) && !fs::exists(file.from);
        told[collection.string()] = files.size();
      });
  BOOST_TEST(report.put_back + report.never_moved == 30u);
  BOOST_TEST((told == std::map<std::string, size_t>{{"/of 0", 30}, {"/of 1", 30}, {"/of 2", 30}}));
  BOOST_TEST(back == 90u);
  BOOST_TEST((file_tree(pictures.folder) == pictures.before));
}

BOOST_AUTO_TEST_CASE(a_process_that_does_not_see_the_folder_ends_all) {
  for (const ExportMode mode : {ExportMode::Copy, ExportMode::Move}) {
    const TemporaryDirectory directory;
    const Pictures pictures(directory.path(), 6);
    fs::create_directory(directory / "other");
    for (const fs::path& other : {directory / "absent", directory / "other"}) {
      Exporting exporting;
      exporting.mode = mode;
      exporting.by(2, {directory / "out", other}, pictures.items);
      BOOST_TEST(exporting.errors.size() == 2u);
      BOOST_TEST(std::ranges::count_if(exporting.errors, [](const std::string& error) {
                   return error.find("process 1 does not see the folder") != std::string::npos;
                 }) == 1);
      BOOST_TEST(!fs::exists(directory / "out"));
      BOOST_TEST(!fs::exists(directory / "absent"));
      BOOST_TEST(fs::exists(directory / "other"));
    }
    BOOST_TEST((file_tree(pictures.folder) == pictures.before));
  }
}

BOOST_AUTO_TEST_CASE(a_name_that_somebody_took_meanwhile_is_passed_over) {
  for (const ExportMode mode : {ExportMode::Copy, ExportMode::Move}) {
    const TemporaryDirectory directory;
    const Pictures pictures(directory.path(), 12);
    Exporting exporting;
    exporting.mode = mode;
    exporting.when_named = [](const fs::path& target) {
      testing::write_file(target / "label 1" / "p1.jpg", "somebody's");
      testing::write_file(target / "label 1" / "p1 (3).jpg", "somebody's, too");
    };
    exporting.by(3, directory / "out", pictures.items);
    BOOST_TEST(exporting.errors.empty());
    BOOST_TEST(exporting.placed == 12u);
    BOOST_TEST(read_file(directory / "out" / "label 1" / "p1.jpg", 100) == "somebody's");
    BOOST_TEST(read_file(directory / "out" / "label 1" / "p1 (3).jpg", 100) == "somebody's, too");
    BOOST_TEST(placed_in(directory / "out").size() == 15u);
    if (mode == ExportMode::Copy) continue;
    BOOST_TEST(undo(directory / "out") == 12u);
    BOOST_TEST((file_tree(pictures.folder) == pictures.before));
    BOOST_TEST(read_file(directory / "out" / "label 1" / "p1.jpg", 100) == "somebody's");
  }
}

// Indexed in two collections: one process moves it, and the other's collection hears of it.
BOOST_AUTO_TEST_CASE(a_picture_that_two_processes_have_is_moved_once) {
  const TemporaryDirectory directory;
  Pictures pictures(directory.path(), 6);
  pictures.items.insert(pictures.items.begin() + 2, pictures.items[1]);
  std::map<std::string, std::string> of_one;
  for (const bool together : {false, true}) {
    Exporting exporting;
    exporting.mode = ExportMode::Move;
    std::vector<fs::path> told;
    exporting.on_placed = [&](const ExportItem& item) {
      const std::lock_guard lock(exporting.mutex);
      told.push_back(item.source);
    };
    together ? exporting.by(3, directory / "out", pictures.items)
             : exporting.by_one(directory / "out", pictures.items);
    BOOST_TEST(exporting.placed == 6u);
    BOOST_REQUIRE(exporting.failures.size() == 1u);
    BOOST_TEST(exporting.failures.front().find("gone since it was indexed") != std::string::npos);
    if (together) {
      BOOST_TEST(std::ranges::count(told, pictures.items[1].source) == 2);
      BOOST_TEST((placed_in(directory / "out") == of_one));
    }
    of_one = placed_in(directory / "out");
    undo(directory / "out");
    BOOST_TEST((file_tree(pictures.folder) == pictures.before));
  }
}

BOOST_AUTO_TEST_CASE(an_export_of_no_picture_leaves_nothing) {
  const std::vector<ExportItem> none;
  for (const ExportMode mode : {ExportMode::Copy, ExportMode::Move}) {
    for (const bool together : {false, true}) {
      const TemporaryDirectory directory;
      Exporting exporting;
      exporting.mode = mode;
      exporting.promise = "\"exported\":0";
      together ? exporting.by(3, directory / "out", none)
               : exporting.by_one(directory / "out", none);
      BOOST_TEST(exporting.errors.empty());
      BOOST_TEST(!fs::exists(directory / "out"), together);
    }
  }
}

// --- undo ----------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_journal_that_is_missing_is_named_and_the_others_files_go_back) {
  for (const bool has_manifest : {true, false}) {
    const TemporaryDirectory directory;
    const Pictures pictures(directory.path(), 30);
    Exporting exporting;
    exporting.mode = ExportMode::Move;
    exporting.by(3, directory / "out", pictures.items);
    const fs::path journal = directory / "out" / "moves-00001-of-00003.journal";
    fs::rename(journal, directory / "away");
    if (!has_manifest) fs::remove(directory / "out" / "manifest.jsonl");
    std::vector<std::string> problems;
    const UndoReport report = undo_telling(directory / "out", problems);
    BOOST_TEST(problems.size() == 1u);
    BOOST_TEST(report.left == (has_manifest ? 10u : 0u));
    BOOST_TEST(told_undo(report) ==
               "20 files put back, 0 were where they belong, " +
                   std::string(has_manifest ? "at least 10" : "an unknown number") +
                   " could not be put back");
    BOOST_TEST(problems.front().find("moves-00001-of-00003.journal: the journal of one of the "
                                     "processes is missing") != std::string::npos);
    BOOST_TEST(fs::exists(directory / "out" / kMoveJournalName));
    fs::rename(directory / "away", journal);
    BOOST_TEST(undo(directory / "out") == 10u);
    BOOST_TEST((file_tree(pictures.folder) == pictures.before));
    BOOST_TEST(!fs::exists(directory / "out"));
  }
}

BOOST_AUTO_TEST_CASE(without_the_first_journal_the_others_say_how_many_there_were) {
  const TemporaryDirectory directory;
  const Pictures pictures(directory.path(), 30);
  Exporting exporting;
  exporting.mode = ExportMode::Move;
  exporting.by(3, directory / "out", pictures.items);
  fs::remove(directory / "out" / kMoveJournalName);
  fs::rename(directory / "out" / "moves-00002-of-00003.journal", directory / "away");
  std::vector<std::string> problems;
  undo_telling(directory / "out", problems);
  BOOST_TEST(problems.front().find("moves-00002-of-00003.journal") != std::string::npos);
  fs::rename(directory / "away", directory / "out" / "moves-00002-of-00003.journal");
  BOOST_TEST(undo(directory / "out") == 10u);
  BOOST_TEST((file_tree(pictures.folder) == pictures.before));
  BOOST_TEST(!fs::exists(directory / "out"));
}

BOOST_AUTO_TEST_CASE(journals_that_nothing_was_written_into_yet_need_not_be_all) {
  for (const std::string whole :
       {"", "zeroshelf-moves 2", "zeroshelf-moves 2\n", "zeroshelf-moves 2\nprocesses\t3\t12"}) {
    const TemporaryDirectory directory;
    testing::write_file(directory / "out" / kMoveJournalName, whole);
    testing::write_file(directory / "out" / "moves-00000-of-00003.journal", "zeroshelf-moves 1\n");
    testing::write_file(directory / "out" / "manifest-00000-of-00003.jsonl.unfinished", "");
    BOOST_TEST(undo(directory / "out") == 0u);
    BOOST_TEST(!fs::exists(directory / "out"));
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_journal_of_several_forgets_nothing) {
  const TemporaryDirectory directory;
  const Pictures pictures(directory.path(), 12);
  Exporting exporting;
  exporting.mode = ExportMode::Move;
  exporting.by(3, directory / "out", pictures.items);
  const fs::path journal = directory / "out" / "moves-00001-of-00003.journal";
  const std::string sound = read_file(journal, 1 << 20);
  std::string damaged = sound;
  damaged[sound.find("p2")] = 'q';
  std::ofstream(journal, std::ios::trunc) << damaged;
  fs::remove(directory / "out" / "manifest.jsonl");
  std::vector<std::string> problems;
  undo_telling(directory / "out", problems);
  BOOST_REQUIRE(problems.size() == 1u);
  BOOST_TEST(problems.front().find("moves-00001-of-00003.journal: line ") != std::string::npos);
  BOOST_TEST(read_file(journal, 1 << 20) == damaged);
  std::ofstream(journal, std::ios::trunc) << sound;
  BOOST_TEST(undo(directory / "out") == 1u);
  BOOST_TEST((file_tree(pictures.folder) == pictures.before));
}

BOOST_AUTO_TEST_CASE(a_folder_into_which_another_process_still_moves_is_refused) {
  const TemporaryDirectory directory;
  const Pictures pictures(directory.path(), 6);
  Exporting exporting;
  exporting.mode = ExportMode::Move;
  size_t refused = 0;
  exporting.when_named = [&](const fs::path& target) {
    try {
      undo(target);
    } catch (const Error& error) {
      refused += error.code() == ErrorCode::Unavailable;
    }
  };
  exporting.by(2, directory / "out", pictures.items);
  BOOST_TEST(refused == 1u);
}

// --- kills ---------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(killed_at_random_instants_everything_comes_back) {
  const uint32_t seed = std::random_device()();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  const char* wanted = std::getenv("ZEROSHELF_KILLS");
  const int kills = wanted != nullptr ? std::atoi(wanted) : 8;
  const TemporaryDirectory directory;
  const Pictures pictures(directory.path(), 300);
  const fs::path target = directory / "out";
  const auto move_all = [&] {
    Exporting exporting;
    exporting.mode = ExportMode::Move;
    exporting.by(3, target, pictures.items);
  };
  const auto start = std::chrono::steady_clock::now();
  move_all();
  const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(
                         std::chrono::steady_clock::now() - start)
                         .count();
  BOOST_TEST(undo(target) == pictures.items.size());
  const auto after = [&] {
    return std::chrono::microseconds(random() % static_cast<uint64_t>(whole));
  };
  int killed = 0;
  for (int cycle = 0; killed < kills && cycle < 20 * kills; ++cycle) {
    BOOST_TEST_CONTEXT("seed " << seed << " cycle " << cycle) {
      killed += run_and_kill(move_all, after());
      if (fs::exists(target / "manifest.jsonl"))
        BOOST_TEST(placed_in(target).size() == pictures.items.size() + 1);
      for (int i = static_cast<int>(random() % 3); i > 0 && fs::exists(target); --i) {
        if (!fs::exists(target / kMoveJournalName)) break;
        killed += run_and_kill([&] { undo_moves(target, [](const Error&) {}); }, after() / 2);
      }
      if (fs::exists(target / kMoveJournalName)) undo(target);
      BOOST_TEST((file_tree(pictures.folder) == pictures.before));
      std::error_code ignored;
      // Killed before the journal was there.
      fs::remove_all(target, ignored);
    }
  }
  BOOST_TEST(killed > 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
