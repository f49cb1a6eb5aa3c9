// Tests tests/fuzz: that the fuzzer finds what is planted, tells how to see it again, and lets
// sound readers pass.

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>

#include "lib/util/file.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

using namespace testing;

ProgramResult fuzz(const TemporaryDirectory& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {ZEROSHELF_FUZZ_PROGRAM, "run"});
  arguments.insert(arguments.end(), {"--save", (folder / "found").string(), "--seed", "1"});
  return run_program(arguments);
}

ProgramResult replay(const TemporaryDirectory& folder, const std::string& target,
                     std::vector<std::string> limits = {}) {
  const std::string input = (folder / "found" / (target + "-1-1")).string();
  BOOST_REQUIRE(std::filesystem::exists(input));
  std::vector<std::string> arguments = {ZEROSHELF_FUZZ_PROGRAM, "replay", target, input};
  arguments.insert(arguments.end(), limits.begin(), limits.end());
  return run_program(arguments);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_planted_crash_is_found_and_replayed) {
  const TemporaryDirectory folder;
  const ProgramResult result = fuzz(folder, {"planted-crash", "--seconds", "20"});
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(result.out.find("Aborted") != std::string::npos);
  BOOST_TEST(result.out.find("replay planted-crash") != std::string::npos);
  BOOST_TEST(replay(folder, "planted-crash").exit_code == 128 + SIGABRT);
}

BOOST_AUTO_TEST_CASE(a_planted_hang_is_found_and_replayed) {
  const TemporaryDirectory folder;
  const ProgramResult result =
      fuzz(folder, {"planted-hang", "--seconds", "3", "--limit-ms", "200"});
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(result.out.find("it takes too long") != std::string::npos);
  BOOST_TEST(replay(folder, "planted-hang", {"--limit-ms", "200"}).exit_code == 128 + SIGPROF);
}

BOOST_AUTO_TEST_CASE(planted_waste_of_memory_is_found_and_replayed) {
  const TemporaryDirectory folder;
  const ProgramResult result =
      fuzz(folder, {"planted-memory", "--seconds", "3", "--memory-mib", "300"});
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(result.err.find("at most 300 are allowed") != std::string::npos);
  BOOST_TEST(replay(folder, "planted-memory", {"--memory-mib", "300"}).exit_code == 128 + SIGABRT);
}

BOOST_AUTO_TEST_CASE(a_run_without_findings_leaves_nothing) {
  const TemporaryDirectory folder;
  const ProgramResult result = fuzz(folder, {"vectors", "--seconds", "0.2"});
  BOOST_TEST_CONTEXT(result.out << result.err) BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.out.find("0 findings (seed 1)") != std::string::npos);
  BOOST_TEST(!std::filesystem::exists(folder / "found"));
}

BOOST_AUTO_TEST_CASE(seeds_and_words_are_written_for_another_fuzzer) {
  const TemporaryDirectory folder;
  const auto write = [&](const char* target) {
    return run_program({ZEROSHELF_FUZZ_PROGRAM, "seeds", target, (folder / target).string()});
  };
  BOOST_TEST(write("labels").exit_code == 0);
  BOOST_TEST(read_file(folder / "labels" / "1", 1 << 20).starts_with("# labels\ncat\n"));
  BOOST_TEST(read_file(folder / "labels.dictionary", 1 << 20).starts_with("\"\\x7b\\x7d\"\n"));
  BOOST_TEST(write("nonsense").exit_code == 2);
}

BOOST_AUTO_TEST_CASE(unknown_targets_are_refused) {
  const TemporaryDirectory folder;
  BOOST_TEST(fuzz(folder, {"nonsense"}).exit_code == 2);
}

}  // namespace zeroshelf
