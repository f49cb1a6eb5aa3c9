#include "lib/export/keyword_journal.h"

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <random>
#include <set>

#include "lib/util/error.h"
#include "tests/export/keyword_files.h"
#include "tests/support/draw.h"
#include "tests/support/run_and_kill.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::run_and_kill;
using testing::tree;

// Pictures of which every third has a sidecar that somebody else has made.
struct Pictures {
  Pictures(const fs::path& root, int count) : folder(root / "pictures") {
    const std::string bytes = testing::jpeg_bytes(testing::plain_image(8, 8, {1, 2, 3}));
    for (int i = 0; i < count; ++i) {
      const fs::path path =
          folder / ("f" + std::to_string(i / 500)) / ("p" + std::to_string(i) + ".jpg");
      testing::write_file(path, bytes + std::to_string(i));  // behind its end
      if (i % 3 == 0) {
        fs::path sidecar = path;
        testing::write_file(sidecar += ".xmp", testing::other_sidecar("own" + std::to_string(i)));
      }
      items.push_back({testing::indexed(path), {{"animal", i % 2 == 0 ? "cat" : "dog"}}, 0});
    }
    before = tree(folder);
  }

  KeywordCounts write(const fs::path& target, KeywordsIn where) const {
    KeywordExportOptions options;
    options.where = where;
    options.collections = {"/collection"};
    options.on_failure = [](const Error& error) { throw error; };
    KeywordExport keywords(target, options);
    for (const KeywordItem& item : items) keywords.add(item);
    keywords.finish();
    return keywords.counts();
  }

  fs::path folder;
  std::vector<KeywordItem> items;
  std::map<std::string, std::string> before;
};

KeywordUndoReport undo(const fs::path& directory) {
  return undo_keywords(directory, [](const Error& error) { BOOST_ERROR(error.what()); });
}

// At every instant each file has the bytes before or those after, and hidden ones beside it that
// are not whole yet.
void expect_old_or_new(const Pictures& pictures, const std::map<std::string, std::string>& after) {
  const auto bytes = [](const std::string& file) { return file.substr(0, file.rfind('|')); };
  for (const auto& [path, file] : tree(pictures.folder)) {
    if (fs::path(path).filename().string().starts_with(".zeroshelf.")) continue;
    const auto old = pictures.before.find(path);
    const bool is_old = old != pictures.before.end() && bytes(old->second) == bytes(file);
    const bool is_new = after.contains(path) && bytes(after.at(path)) == bytes(file);
    BOOST_TEST((is_old || is_new), path << " is neither");
  }
}

// In memory where there is such a place: a kill loses nothing that was only not yet on the disk, so
// syncing thousands of files would cost much and show nothing.
fs::path fast_folder(const testing::TemporaryDirectory& other) {
  const fs::path memory = "/dev/shm";
  if (::access(memory.c_str(), W_OK) != 0) return other.path();
  return memory / ("zeroshelf-keywords-test-" + std::to_string(::getpid()));
}

void kill_and_undo(int count, int kills, KeywordsIn where) {
  const uint32_t seed = std::random_device()();
  std::mt19937 random(seed);
  const testing::TemporaryDirectory directory;
  const fs::path root = fast_folder(directory);
  const Pictures pictures(root, count);
  const fs::path target = root / "out";
  const auto start = std::chrono::steady_clock::now();
  const KeywordCounts counts = pictures.write(target, where);
  const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(
                         std::chrono::steady_clock::now() - start)
                         .count();
  BOOST_TEST(counts.touched() == pictures.items.size());
  const auto after = tree(pictures.folder);
  BOOST_TEST(undo(target).put_back == pictures.items.size());
  BOOST_TEST((tree(pictures.folder) == pictures.before));
  BOOST_TEST(!fs::exists(target));

  int killed = 0;
  for (int cycle = 0; killed < kills && cycle < 20 * kills; ++cycle) {
    BOOST_TEST_CONTEXT("seed " << seed << " cycle " << cycle) {
      const auto some = [&] {
        return std::chrono::microseconds(random() % static_cast<uint64_t>(whole));
      };
      killed += run_and_kill([&] { pictures.write(target, where); }, some());
      expect_old_or_new(pictures, after);
      // The undo is killed too.
      if (cycle % 2 == 1 && has_keyword_journal(target)) {
        killed += run_and_kill([&] { undo_keywords(target, [](const Error&) {}); }, some() / 2);
        expect_old_or_new(pictures, after);
      }
      if (has_keyword_journal(target)) undo(target);
      BOOST_TEST((tree(pictures.folder) == pictures.before));
      std::error_code ignored;
      fs::remove_all(target, ignored);  // killed before the journal was there
    }
  }
  BOOST_TEST(killed > 0);
  fs::remove_all(root);
}

BOOST_AUTO_TEST_SUITE(keyword_journal)

BOOST_AUTO_TEST_CASE(ten_thousand_sidecars_come_back_after_a_kill) {
  kill_and_undo(10'000, 1, KeywordsIn::Sidecars);
}

BOOST_AUTO_TEST_CASE(killed_at_random_instants_everything_comes_back) {
  const char* wanted = std::getenv("ZEROSHELF_KILLS");
  const int kills = wanted != nullptr ? std::atoi(wanted) : 6;
  kill_and_undo(400, kills, KeywordsIn::Sidecars);
  kill_and_undo(400, kills, KeywordsIn::Pictures);
}

BOOST_AUTO_TEST_CASE(a_journal_that_is_damaged_or_not_ones_own_changes_nothing) {
  const testing::TemporaryDirectory directory;
  const Pictures pictures(directory.path(), 4);
  const fs::path target = directory / "out";
  pictures.write(target, KeywordsIn::Sidecars);
  const auto after = tree(pictures.folder);
  const fs::path journal = target / kKeywordJournalName;
  const fs::path originals = target / kKeywordOriginalsName;
  const std::string sound = read_file(journal, 1 << 20);
  const std::string kept = read_file(originals, 1 << 20);
  const auto refused = [&] {
    uint64_t told = 0;
    try {
      undo_keywords(target, [&](const Error&) { ++told; });
    } catch (const Error&) {
      ++told;
    }
    BOOST_TEST(told > 0u);
    BOOST_TEST(fs::exists(journal));
  };
  testing::write_file(journal, "zeroshelf-moves 1\n");
  refused();
  BOOST_TEST((tree(pictures.folder) == after));
  // What was in the sidecars of others is damaged: those stay as they are.
  testing::write_file(journal, sound);
  std::string damaged = kept;
  for (char& c : damaged) c = static_cast<char>(c ^ 1);
  testing::write_file(originals, damaged);
  refused();
  BOOST_TEST(read_file(pictures.folder / "f0" / "p0.jpg.xmp", 1 << 20).find("zeroshelf") !=
             std::string::npos);
  // One line is.
  testing::write_file(originals, kept);
  std::string one = sound;
  one[one.find("change") + 8] ^= 1;
  testing::write_file(journal, one);
  refused();
  fs::create_hard_link(journal, directory / "second");
  refused();
  fs::remove(directory / "second");
  testing::write_file(journal, sound);
  BOOST_TEST(undo(target).problems == 0u);
  BOOST_TEST((tree(pictures.folder) == pictures.before));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
