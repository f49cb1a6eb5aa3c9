// An array job whose elements are killed at random instants and queued again: in the end the parts
// answer as those of a job that was never disturbed.
//
// ZEROSHELF_REQUEUES sets the number of kills (default 8); the seed is printed.

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "tests/programs/programs.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::testing {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kShards = 3;
constexpr int kPictures = 45;

struct ArrayJob {
  ArrayJob(const fs::path& pictures, const fs::path& shelf) : pictures_(pictures), shelf_(shelf) {}

  std::vector<std::string> element(int number) const {
    return {"add",     (shelf_ / std::to_string(number)).string(),
            pictures_.string(), "--no-ocr", "--batch", "2", "--precision", "fp32",
            "--shard", std::to_string(number) + "/" + std::to_string(kShards)};
  }

  void finish() const {
    for (int number = 0; number < kShards; ++number) {
      const auto done = zeroshelf_index(element(number));
      BOOST_TEST(done.exit_code == 0, done.err);
    }
  }

  std::string answers() const {
    std::string all;
    const auto ask = [&](const std::string& command, std::vector<std::string> behind) {
      behind.insert(behind.begin(), {command, shelf_.string()});
      const auto answer = zeroshelf_query(behind);
      BOOST_TEST(answer.exit_code <= 1, answer.err);
      all += answer.out;
    };
    for (const char* rule : {"image", "mix"})
      ask("classify", {"--labels", "red, blue, noise", "--fusion", rule, "--format", "jsonl"});
    ask("search", {"a red square", "--all", "-k", "20", "--format", "jsonl"});
    ask("duplicates", {"--format", "jsonl"});
    return all;
  }

 private:
  fs::path pictures_;
  fs::path shelf_;
};

int requeues_wanted() {
  const char* wanted = std::getenv("ZEROSHELF_REQUEUES");
  return wanted != nullptr ? std::atoi(wanted) : 8;
}

}  // namespace

BOOST_AUTO_TEST_CASE(elements_that_are_killed_and_queued_again_end_as_if_they_never_were) {
  const TemporaryDirectory directory;
  const fs::path pictures = directory / "pictures";
  for (int i = 0; i < kPictures; ++i)
    write_file(pictures / (std::to_string(100 + i) + ".ppm"), noise_pixmap(i % 40));
  const ArrayJob undisturbed(pictures, directory / "undisturbed");
  const auto start = Clock::now();
  undisturbed.finish();
  const auto of_one = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start) /
                      kShards;
  const std::string wanted = undisturbed.answers();

  const unsigned seed = std::random_device()();
  std::mt19937 random(seed);
  BOOST_TEST_MESSAGE("seed " << seed);
  const int requeues = requeues_wanted();
  int killed = 0;
  for (int round = 0; killed < requeues && round < 20 * requeues; ++round) {
    const fs::path shelf = directory / ("disturbed" + std::to_string(round));
    const ArrayJob job(pictures, shelf);
    // Each element is killed some times before it may end.
    for (int number = 0; number < kShards; ++number) {
      for (int times = 1 + static_cast<int>(random() % 3); times > 0; --times) {
        const std::chrono::microseconds after(
            random() % static_cast<unsigned long>(of_one.count() + 1));
        killed += zeroshelf_index_killed(job.element(number), after).exit_code == 128 + 9;
      }
    }
    job.finish();
    BOOST_TEST(zeroshelf_index({"verify", shelf.string()}).exit_code == 0);
    BOOST_TEST((job.answers() == wanted), "seed " << seed << ", round " << round);
    fs::remove_all(shelf);
  }
  BOOST_TEST(killed >= requeues);
}

}  // namespace zeroshelf::testing
