// Where the system lets few threads start, or none, or gives little address space, everything gives
// the same answers with fewer, or the message says what is short; nothing is lost, and nothing
// hangs.

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include <fmt/format.h>
#include <unistd.h>

#include "lib/util/file.h"
#include "models/clip/load.h"
#include "tests/programs/programs.h"
#include "tests/support/draw.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::ProgramResult;
using testing::TemporaryDirectory;

using Arguments = std::vector<std::string>;

constexpr std::chrono::seconds kLimit{60};  // of a program that hangs
constexpr int kThreads = 4;                 // that are asked for
constexpr uint64_t kMaxBytes = 1 << 30;

ProgramResult with_threads(int most, Arguments arguments) {
  arguments.insert(arguments.begin(), {"/usr/bin/env", "LD_PRELOAD=" ZEROSHELF_FEW_THREADS,
                                       "ASAN_OPTIONS=verify_asan_link_order=0",
                                       "ZEROSHELF_THREADS_AT_MOST=" + std::to_string(most)});
  return testing::run_program(arguments, kLimit);
}

Arguments index(Arguments rest) {
  rest.insert(rest.begin(), ZEROSHELF_INDEX_PROGRAM);
  return rest;
}

Arguments query(Arguments rest) {
  rest.insert(rest.begin(), ZEROSHELF_QUERY_PROGRAM);
  return rest;
}

bool says_what_is_short(const ProgramResult& result) {
  return result.exit_code == 2 && result.err.find("thread") != std::string::npos &&
         result.err.find("ulimit -u") != std::string::npos;
}

// Pictures, two of them with words. (HEIC is skipped where its decoder gets no thread.)
void make_pictures(const fs::path& folder) {
  fs::create_directory(folder);
  for (int i = 0; i < 70; ++i)
    testing::write_file(folder / (std::to_string(i) + ".ppm"), testing::tinted_pixmap(i));
  for (int i = 0; i < 2; ++i) {
    Image image = testing::plain_image(400, 120, {255, 255, 255});
    testing::draw_text(image, i == 0 ? "SLEEPY FOX" : "ANGRY OWL", 30, 80, 40, {});
    testing::write_file(folder / ("words" + std::to_string(i) + ".png"), testing::png_bytes(image));
  }
}

struct Shelf {
  Shelf() {
    make_pictures(pictures);
    const ProgramResult added = testing::run_program(add(collection));
    BOOST_REQUIRE_MESSAGE(added.exit_code == 0, added.err);
  }

  Arguments add(const std::string& to) const {
    return index({"add", to, pictures.string(), "--threads", std::to_string(kThreads), "--model",
                  bundled_model().string()});
  }

  // With any number of threads as with enough of them.
  void expect_same(const Arguments& command) const {
    const ProgramResult expected = testing::run_program(command);
    for (int most = 0; most <= kThreads; ++most) {
      const ProgramResult result = with_threads(most, command);
      BOOST_TEST_CONTEXT(command[1] << " with " << most << " threads: " << result.err) {
        BOOST_TEST(result.exit_code == expected.exit_code);
        BOOST_TEST(result.out == expected.out);
      }
    }
  }

  TemporaryDirectory directory;
  fs::path pictures = directory / "pictures";
  std::string collection = (directory / "collection").string();
};

BOOST_FIXTURE_TEST_SUITE(few_threads, Shelf)

BOOST_AUTO_TEST_CASE(queries_answer_the_same) {
  const std::string threads = std::to_string(kThreads);
  expect_same(index({"stats", collection}));
  expect_same(index({"verify", collection}));
  expect_same(query({"classify", collection, "--labels", "red, green, blue", "--format", "jsonl",
                     "--threads", threads}));
  expect_same(query(
      {"search", collection, "sleepy fox", "--all", "--format", "jsonl", "--threads", threads}));
  expect_same(query({"duplicates", collection, "--format", "jsonl", "--threads", threads}));
  expect_same(query({"embed", "--text", "a fox", "--text", "an owl", "--threads", threads}));
}

BOOST_AUTO_TEST_CASE(an_export_is_the_same) {
  const auto page = [&](const fs::path& to) {
    return query({"export", collection, "--labels", "red, green", "--format", "html", "--to",
                  to.string(), "--threads", std::to_string(kThreads)});
  };
  BOOST_TEST(testing::run_program(page(directory / "expected")).exit_code == 0);
  for (int most = 0; most <= kThreads; ++most) {
    const fs::path to = directory / std::to_string(most);
    BOOST_TEST_CONTEXT(most << " threads") {
      BOOST_TEST(with_threads(most, page(to)).exit_code == 0);
      BOOST_TEST((read_file(to, kMaxBytes) == read_file(directory / "expected", kMaxBytes)));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_indexer_finishes_or_says_what_is_short_and_loses_nothing) {
  const Arguments rest = {"--labels", "red, green, blue", "--format", "jsonl"};
  const auto answers = [&](const std::string& shelf) {
    Arguments command = query({"classify", shelf});
    command.insert(command.end(), rest.begin(), rest.end());
    const ProgramResult result = testing::run_program(command);
    BOOST_TEST(result.exit_code == 0, result.err);
    return result.out;
  };
  const std::string expected = answers(collection);
  bool finished = false;
  for (int most = 0; most <= 2 * kThreads; ++most) {
    const std::string shelf = (directory / ("shelf " + std::to_string(most))).string();
    const ProgramResult result = with_threads(most, add(shelf));
    BOOST_TEST_CONTEXT(most << " threads: " << result.err) {
      finished = result.exit_code == 0;
      BOOST_TEST((finished || says_what_is_short(result)));
      if (finished) BOOST_TEST(answers(shelf) == expected);
      // With as many as it takes, it goes on where it was.
      BOOST_TEST(testing::run_program(add(shelf)).exit_code == 0);
      BOOST_TEST(answers(shelf) == expected);
      for (const char* command : {"compact", "repair"}) {
        const ProgramResult kept = with_threads(most, index({command, shelf}));
        BOOST_TEST((kept.exit_code == 0 || says_what_is_short(kept)));
        BOOST_TEST(answers(shelf) == expected);
      }
      BOOST_TEST(testing::zeroshelf_index({"verify", shelf}).exit_code == 0);
    }
  }
  BOOST_TEST(finished);
}

// Where the libraries themselves find no room, the loader says so.
BOOST_AUTO_TEST_CASE(where_address_space_is_short_a_program_finishes_or_says_so) {
  constexpr int kNotLoaded = 127;
  constexpr uint64_t kLeastMib = 160;
  constexpr uint64_t kMostMib = 8 << 10;
  const std::vector<std::string> told = {"out of memory", "cannot allocate memory",
                                         "no further thread start"};
  const std::string other = (directory / "other").string();
  const std::vector<Arguments> commands = {
      index({"stats", collection}), index({"verify", collection}),
      query({"classify", collection, "--labels", "red, green", "--format", "jsonl"}),
      query({"search", collection, "sleepy fox", "--all", "--format", "jsonl"}), add(other)};
  for (const Arguments& command : commands) {
    bool finished = false;
    bool refused = false;
    for (uint64_t mib = kLeastMib; !finished && mib <= kMostMib; mib += mib / 10) {
      Arguments limited = command;
      limited.insert(limited.begin(), {"/usr/bin/prlimit", fmt::format("--as={}", mib << 20)});
      const ProgramResult result = testing::run_program(limited, kLimit);
      BOOST_TEST_CONTEXT(command[1] << " with " << mib << " MiB: " << result.err) {
        const bool says_so = std::ranges::any_of(told, [&](const std::string& words) {
          return result.err.find(words) != std::string::npos;
        });
        // 3: a picture that there was too little memory for was skipped, with that reason.
        finished = result.exit_code == 0 || result.exit_code == 3;
        refused = refused || result.exit_code == 2;
        BOOST_TEST((finished || result.exit_code == kNotLoaded ||
                    (result.exit_code == 2 && says_so)));
      }
    }
    BOOST_TEST(finished);
    BOOST_TEST_MESSAGE(command[1] << (refused ? " was refused with less" : " was never refused"));
  }
  BOOST_TEST(testing::zeroshelf_index({"verify", other}).exit_code == 0);
}

// The system's own limit counts a user's threads, and root is not counted.
BOOST_AUTO_TEST_CASE(a_user_without_a_further_process_reads_and_is_told_when_writing) {
  if (::geteuid() != 0) {
    BOOST_TEST_MESSAGE("not root: no other user to be");
    return;
  }
  fs::permissions(directory.path(), fs::perms::all);
  const auto limited = [](Arguments arguments) {
    arguments.insert(arguments.begin(), {"/usr/bin/setpriv", "--reuid=61987", "--regid=61987",
                                         "--clear-groups", "/usr/bin/prlimit", "--nproc=1"});
    return testing::run_program(arguments, kLimit);
  };
  const Arguments stats = index({"stats", collection});
  const ProgramResult read = limited(stats);
  BOOST_TEST_CONTEXT(read.err) {
    BOOST_TEST(read.exit_code == 0);
    BOOST_TEST(read.out == testing::run_program(stats).out);
  }
  const ProgramResult written = limited(add((directory / "other").string()));
  BOOST_TEST_CONTEXT(written.err) BOOST_TEST(says_what_is_short(written));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
