#include "lib/labelling/prompt_cache.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <fstream>
#include <thread>

#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
constexpr size_t kDimension = 4;

Matrix numbered(size_t rows, float first) {
  Matrix matrix(rows, kDimension);
  for (size_t i = 0; i < rows; ++i) std::ranges::fill(matrix.row(i), first + static_cast<float>(i));
  return matrix;
}

struct Fixture {
  testing::TemporaryDirectory directory;
  PromptCache open(const char* fingerprint = "model", size_t dimension = kDimension) const {
    return {directory.path(), fingerprint, "auto", dimension};
  }
  fs::path file() const {
    for (const auto& entry : fs::recursive_directory_iterator(directory.path())) {
      if (entry.is_regular_file()) return entry.path();
    }
    return {};
  }
};

BOOST_FIXTURE_TEST_SUITE(prompt_cache, Fixture)

BOOST_AUTO_TEST_CASE(what_was_kept_is_found_by_the_next_query_of_the_same_model) {
  PromptCache cache = open();
  BOOST_TEST(cache.find("cat").empty());
  cache.keep({"cat", "dog"}, numbered(2, 1));
  BOOST_TEST(cache.find("dog")[0] == 2);
  const PromptCache next = open();
  BOOST_REQUIRE(next.find("cat").size() == kDimension);
  BOOST_TEST(next.find("cat")[3] == 1);
  BOOST_TEST(next.find("fox").empty());
  BOOST_TEST(open("another model").find("cat").empty());
  BOOST_TEST(open("model", 8).find("cat").empty());
}

BOOST_AUTO_TEST_CASE(a_damaged_file_counts_as_absent_and_is_replaced) {
  open().keep({"cat"}, numbered(1, 1));
  std::fstream(file(), std::ios::in | std::ios::out | std::ios::binary).seekp(60).put('\x7f');
  BOOST_TEST(open().find("cat").empty());
  open().keep({"cat"}, numbered(1, 5));
  BOOST_TEST(open().find("cat")[0] == 5);
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_written_costs_only_the_keeping) {
  std::ofstream(directory / "attachments") << "a file where the folder would be";
  PromptCache cache = open();
  cache.keep({"cat"}, numbered(1, 1));
  BOOST_TEST(cache.find("cat")[0] == 1);
  BOOST_TEST(open().find("cat").empty());
}

BOOST_AUTO_TEST_CASE(the_newest_are_kept_and_the_file_is_bounded) {
  std::vector<std::string> prompts;
  for (int i = 0; i < 20'000; ++i) prompts.push_back("prompt " + std::to_string(i));
  open().keep(prompts, numbered(prompts.size(), 0));
  const PromptCache cache = open();
  BOOST_TEST(cache.find("prompt 0").empty());
  BOOST_TEST(cache.find("prompt 19999")[0] == 19'999);
  BOOST_TEST(fs::file_size(file()) < (size_t{32} << 20));
}

BOOST_AUTO_TEST_CASE(queries_that_write_at_once_leave_a_sound_file) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 10; ++i) {
        PromptCache cache = open();
        cache.keep({"of " + std::to_string(t)}, numbered(1, static_cast<float>(t)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const PromptCache cache = open();
  int found = 0;
  for (int t = 0; t < 4; ++t) {
    const auto vector = cache.find("of " + std::to_string(t));
    if (vector.empty()) continue;
    ++found;
    BOOST_TEST(vector[0] == static_cast<float>(t));
  }
  BOOST_TEST(found >= 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
