// Ctrl-C on the real indexer: `add` finishes its batch and says so, compact and repair may be
// stopped at any moment, and the next run goes on. The seed of the moments is printed.

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <random>

#include "lib/collection/collection.h"
#include "tests/programs/programs.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using namespace testing;

constexpr int kPictures = 60;
constexpr int kMaxTries = 60;

struct Interrupter {
  Interrupter() {
    BOOST_TEST_MESSAGE("seed " << seed);
    for (int i = 0; i < kPictures; ++i) {
      write_file(picture_path(i), noise_pixmap(i));
    }
    const auto start = std::chrono::steady_clock::now();
    BOOST_REQUIRE(zeroshelf_index(add(directory / "whole")).exit_code == 0);
    run_time = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - start);
  }

  // In the order of the numbers.
  std::string picture_path(int number) const {
    return (folder / (std::to_string(100 + number) + ".ppm")).string();
  }

  std::vector<std::string> add(const fs::path& to) const {
    return {"add", to.string(), folder.string(), "--no-ocr", "--batch", "2"};
  }

  std::chrono::microseconds moment(std::chrono::microseconds limit) {
    return std::chrono::microseconds(1 + random() % static_cast<uint64_t>(limit.count()));
  }

  uint64_t pictures() const { return Collection::open(collection).counts().pictures; }

  void check_verified() const {
    const ProgramResult verified = zeroshelf_index({"verify", collection.string()});
    BOOST_TEST(verified.exit_code == 0, verified.out << verified.err);
  }

  // Interrupts runs of add on new collections until one was stopped between its first and its last
  // batch.
  ProgramResult stopped_midway() {
    for (int i = 0; i < kMaxTries; ++i) {
      fs::remove_all(collection);
      const ProgramResult result = zeroshelf_index_interrupted(add(collection), moment(run_time));
      // The signal may also come before there is a collection.
      const uint64_t committed = fs::exists(collection / "CURRENT") ? pictures() : 0;
      if (result.exit_code == 128 + SIGINT && committed > 0 && committed < kPictures) return result;
    }
    return {};
  }

  const uint32_t seed = std::random_device()();
  std::mt19937 random{seed};
  TemporaryDirectory directory;
  fs::path folder = directory / "pictures";
  fs::path collection = directory / "collection";
  std::chrono::microseconds run_time{0};
};

BOOST_FIXTURE_TEST_SUITE(interrupted, Interrupter)

BOOST_AUTO_TEST_CASE(add_finishes_its_batch_and_the_next_run_goes_on) {
  const ProgramResult result = stopped_midway();
  BOOST_TEST(result.exit_code == 128 + SIGINT);
  BOOST_TEST(result.err.find("finishing this batch") != std::string::npos);
  BOOST_TEST(result.err.find("interrupted: run the same command again to continue") !=
             std::string::npos);
  const uint64_t before = pictures();
  BOOST_TEST(before < static_cast<uint64_t>(kPictures));
  // What was committed is the beginning of the files, in their order, with none left out.
  for (uint64_t i = 0; i < before; ++i) {
    BOOST_TEST(
        Collection::open(collection).find_path(picture_path(static_cast<int>(i))).has_value());
  }
  check_verified();

  const ProgramResult next = zeroshelf_index(add(collection));
  BOOST_TEST(next.exit_code == 0, next.err);
  BOOST_TEST(next.err.find("interrupted") == std::string::npos);
  BOOST_TEST(pictures() == static_cast<uint64_t>(kPictures));
  check_verified();
}

BOOST_AUTO_TEST_CASE(compact_and_repair_may_be_stopped_at_any_moment) {
  BOOST_REQUIRE(zeroshelf_index(add(collection)).exit_code == 0);
  for (int i = 0; i < kPictures / 2; ++i) fs::remove(picture_path(i));
  BOOST_REQUIRE(zeroshelf_index(add(collection)).exit_code == 0);
  for (const char* command : {"compact", "repair"}) {
    for (int i = 0; i < 4; ++i) {
      const ProgramResult result = zeroshelf_index_interrupted(
          {command, collection.string()}, moment(std::chrono::milliseconds(60)));
      BOOST_TEST((result.exit_code == 0 || result.exit_code == 128 + SIGINT), result.err);
      check_verified();
      BOOST_TEST(pictures() == static_cast<uint64_t>(kPictures / 2));
    }
    BOOST_TEST(zeroshelf_index({command, collection.string()}).exit_code == 0);
  }
  check_verified();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
