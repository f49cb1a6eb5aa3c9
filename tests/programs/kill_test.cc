// The real indexer, killed at random instants while it adds, compacts and repairs: the collection
// verifies, what was committed is there, and finishing gives what a run that was never killed
// gives: the same rows, vectors and answers, to the bit.
//
// ZEROSHELF_KILLS sets the number of kills (default 15); the seed is printed.

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <sstream>

#include "lib/collection/collection.h"
#include "models/clip/load.h"
#include "tests/programs/programs.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::ProgramResult;
using testing::TemporaryDirectory;
using testing::zeroshelf_index;

constexpr int kPictures = 40;
constexpr int kKilled = 128 + 9;

struct Killer {
  Killer() {
    if (const char* wanted = std::getenv("ZEROSHELF_KILLS")) kills_wanted = std::atoi(wanted);
    BOOST_TEST_MESSAGE("seed " << seed << ", " << kills_wanted << " kills");
    for (int i = 0; i < kPictures; ++i) {
      testing::write_file(folder / ("p" + std::to_string(100 + i) + ".ppm"),
                          testing::noise_pixmap(i));
    }
  }

  std::vector<std::string> add(const fs::path& collection, int batch) const {
    return {"add",
            collection.string(),
            folder.string(),
            "--no-ocr",
            "--json",
            "--batch",
            std::to_string(batch),
            "--model",
            bundled_model().string(),
            "--precision",  // in which a vector's bits do not depend on its batch
            "fp32"};
  }

  // What a finished run must have in common with one that was never killed.
  struct Picture {
    PictureRecord record;
    std::string words;
    std::vector<float> image_vector;
    std::string label;
    double score = 0;
  };
  static std::map<std::string, Picture> pictures_of(const fs::path& directory) {
    std::map<std::string, Picture> pictures;
    const Collection collection = Collection::open(directory);
    collection.for_each_record([&](Row row, const PictureRecord& record) {
      Picture& picture = pictures[record.file.path];
      picture.record = record;
      for (const Word& word : collection.words(row)) picture.words += word.text + " ";
      picture.image_vector.resize(collection.manifest().dimension);
      from_fp16(collection.image_vectors().row(row), picture.image_vector);
    });
    BOOST_TEST(pictures.size() == collection.counts().pictures);
    for (const auto& line : testing::json_lines(answers(directory))) {
      Picture& picture = pictures.at(line["path"].get<std::string>());
      picture.label = line["label"].get<std::string>();
      picture.score = line["score"].get<double>();
    }
    return pictures;
  }

  void check_same(const fs::path& finished, const fs::path& never_killed) {
    const auto pictures = pictures_of(finished);
    const auto expected = pictures_of(never_killed);
    BOOST_REQUIRE(pictures.size() == expected.size());
    for (const auto& [path, wanted] : expected) {
      BOOST_TEST_CONTEXT("seed " << seed << " " << path) {
        BOOST_REQUIRE(pictures.contains(path));
        const Picture& found = pictures.at(path);
        BOOST_TEST((found.record.file == wanted.record.file));
        BOOST_TEST((found.record.content_hash == wanted.record.content_hash));
        BOOST_TEST(found.words == wanted.words);
        BOOST_TEST(found.image_vector == wanted.image_vector, boost::test_tools::per_element());
        BOOST_TEST(found.label == wanted.label);
        BOOST_TEST(found.score == wanted.score);
      }
    }
  }

  // What the collection answers, in the order of the paths.
  static std::string answers(const fs::path& collection) {
    const ProgramResult result = testing::zeroshelf_query(
        {"classify", collection.string(), "--labels", "a, b, c", "--format", "jsonl"});
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    std::vector<std::string> lines;
    std::istringstream stream(result.out);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    std::sort(lines.begin(), lines.end());
    std::string all;
    for (const std::string& line : lines) all += line + "\n";
    return all;
  }

  // Runs the indexer and kills it after a random time up to the limit. Returns whether it was still
  // running then; what it said is in `said`.
  bool run_and_kill(const std::vector<std::string>& arguments, std::chrono::milliseconds limit) {
    const std::chrono::microseconds after(random() % static_cast<uint64_t>(limit.count() * 1000));
    said = testing::zeroshelf_index_killed(arguments, after);
    if (said.exit_code != kKilled) return false;
    ++kills;
    return true;
  }

  // The number of pictures that the run acknowledged as committed.
  uint64_t acknowledged() const {
    uint64_t pictures = 0;
    std::istringstream stream(said.out);
    for (std::string line; std::getline(stream, line);) {
      const auto event = nlohmann::json::parse(line, nullptr, false);
      if (event.is_object() && event["type"] == "commit")
        pictures += event["pictures"].get<uint64_t>();
    }
    return pictures;
  }

  void check_sound(const fs::path& collection, uint64_t at_least) const {
    const ProgramResult verified = zeroshelf_index({"verify", collection.string()});
    BOOST_TEST_CONTEXT("seed " << seed << " kill " << kills << "\n"
                               << verified.out << verified.err) {
      BOOST_TEST(verified.exit_code == 0);
      BOOST_TEST(Collection::open(collection).counts().pictures >= at_least);
    }
  }

  const uint32_t seed = std::random_device()();
  std::mt19937 random{seed};
  TemporaryDirectory directory;
  fs::path folder = directory / "pictures";
  int kills_wanted = 15;
  int kills = 0;
  ProgramResult said;
};

BOOST_FIXTURE_TEST_SUITE(killed, Killer)

BOOST_AUTO_TEST_CASE(a_killed_indexer_loses_nothing_and_goes_on) {
  const fs::path whole = directory / "whole";
  const auto start = std::chrono::steady_clock::now();
  BOOST_REQUIRE(zeroshelf_index(add(whole, 8)).exit_code == 0);
  const auto run_time = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - start);

  for (int cycle = 0; kills < kills_wanted; ++cycle) {
    const fs::path collection = directory / ("cycle" + std::to_string(cycle));
    const int batch = std::vector<int>{1, 2, 8}[random() % 3];
    uint64_t committed = 0;
    while (run_and_kill(add(collection, batch), run_time * 3 / 2)) {
      committed += acknowledged();
      if (!fs::exists(collection / "MANIFEST.json")) continue;  // not created yet
      check_sound(collection, committed);
    }
    BOOST_REQUIRE_MESSAGE(said.exit_code == 0, said.err);
    check_same(collection, whole);

    // Tombstones to compact, kills on the way; repair with nothing to repair, likewise.
    BOOST_REQUIRE(zeroshelf_index({"add", collection.string(),
                                   (directory / "pictures" / "p100.ppm").string(), "--no-ocr"})
                      .exit_code == 0);
    fs::rename(folder / "p105.ppm", directory / "away.ppm");
    BOOST_REQUIRE(zeroshelf_index(add(collection, batch)).exit_code == 0);
    const std::string without = answers(collection);
    for (const char* command : {"compact", "repair"}) {
      for (int i = 0; i < 2; ++i)
        run_and_kill({command, collection.string()}, std::chrono::milliseconds(40));
      check_sound(collection, kPictures - 1);
      BOOST_TEST(answers(collection) == without);
    }
    BOOST_TEST(zeroshelf_index({"compact", collection.string()}).exit_code == 0);
    fs::rename(directory / "away.ppm", folder / "p105.ppm");
    BOOST_REQUIRE(zeroshelf_index(add(collection, batch)).exit_code == 0);
    check_same(collection, whole);
    fs::remove_all(collection);
  }
}

BOOST_AUTO_TEST_CASE(a_creation_cut_short_is_gone_on_with) {
  const fs::path whole = directory / "whole";
  BOOST_REQUIRE(zeroshelf_index(add(whole, 8)).exit_code == 0);
  fs::create_directory(directory / "nothing");
  for (const char* kept : {"LOCK", "records-1", "CURRENT"}) {
    BOOST_TEST_CONTEXT("all but " << kept << " and what came before it is missing") {
      const fs::path collection = directory / (std::string("with-") + kept);
      auto empty = add(collection, 8);
      empty[2] = (directory / "nothing").string();
      BOOST_REQUIRE(zeroshelf_index(empty).exit_code == 0);
      fs::remove(collection / "MANIFEST.json");  // the last to be written
      if (kept != std::string("CURRENT")) fs::remove(collection / "CURRENT");
      if (kept == std::string("LOCK")) fs::remove_all(collection / "records-1");
      const ProgramResult result = zeroshelf_index(add(collection, 8));
      BOOST_TEST(result.exit_code == 0, result.err);
      check_same(collection, whole);
    }
  }
}

// Killed before each of the names that it makes or removes in the collection's folder: where
// nothing is there yet, and where a creation was cut short before its last step.
BOOST_AUTO_TEST_CASE(a_creation_that_is_killed_at_any_step_is_gone_on_with) {
  fs::create_directory(directory / "nothing");
  for (const bool was_cut_short : {false, true}) {
    bool was_killed = true;
    for (int steps = 0; was_killed; ++steps) {
      const fs::path collection =
          directory / ("step" + std::to_string(steps) + (was_cut_short ? "again" : ""));
      auto create = add(collection, 8);
      create[2] = (directory / "nothing").string();
      if (was_cut_short) {
        BOOST_REQUIRE(zeroshelf_index(create).exit_code == 0);
        fs::remove(collection / "MANIFEST.json");
      }
      ::setenv("LD_PRELOAD", ZEROSHELF_DYING_STEP, 1);
      ::setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
      ::setenv("ZEROSHELF_BELOW", collection.c_str(), 1);
      ::setenv("ZEROSHELF_STEPS", std::to_string(steps).c_str(), 1);
      was_killed = zeroshelf_index(create).exit_code == kKilled;
      ::unsetenv("LD_PRELOAD");
      const ProgramResult result = zeroshelf_index(create);
      BOOST_TEST(result.exit_code == 0, steps << " steps: " << result.err);
      BOOST_TEST(zeroshelf_index({"verify", collection.string()}).exit_code == 0);
      BOOST_TEST((was_killed || steps > 5));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
