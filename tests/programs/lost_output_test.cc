// What goes to stderr may get lost, whatever stands there, and changes nothing; results that cannot
// be written end the command with 2 and a message, a closed pipe quietly.

#include <boost/test/unit_test.hpp>

#include <filesystem>

#include "models/clip/load.h"
#include "tests/programs/programs.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::ProgramResult;
using testing::TemporaryDirectory;

using Arguments = std::vector<std::string>;

// Bash before the program ("$0" "$@"): one of its descriptors is closed, on a full disk, or a pipe
// that nobody reads any more.
std::string with(const std::string& descriptor, const std::string& place) {
  const std::string run = "exec \"$0\" \"$@\" " + descriptor + ">";
  if (place == "closed") return run + "&-";
  if (place == "full disk") return run + "/dev/full";
  return "exec 9> >(:); wait $!; " + run + "&9 9>&-";
}
const std::vector<std::string> kPlaces = {"closed", "full disk", "closed pipe"};

ProgramResult run(const std::string& script, Arguments arguments) {
  arguments.insert(arguments.begin(), {"/bin/bash", "-c", script});
  return testing::run_program(arguments);
}

// Pictures, one of which is none, and a collection of them.
struct Shelf {
  Shelf() {
    fs::create_directory(directory / "pictures");
    for (int i = 0; i < 5; ++i)
      testing::write_file(directory / "pictures" / (std::to_string(i) + ".ppm"),
                          testing::tinted_pixmap(i));
    testing::write_file(directory / "pictures" / "broken.png", "no picture");
    BOOST_REQUIRE(testing::run_program(add(collection)).exit_code == 3);
  }

  Arguments add(const std::string& to) const {
    return {ZEROSHELF_INDEX_PROGRAM,           "add",      to,
            (directory / "pictures").string(), "--no-ocr", "--model",
            bundled_model().string()};
  }
  Arguments query(Arguments rest) const {
    rest.insert(rest.begin(), ZEROSHELF_QUERY_PROGRAM);
    return rest;
  }

  TemporaryDirectory directory;
  std::string collection = (directory / "collection").string();
};

bool holds(const fs::path& folder, const std::string& text) {
  for (const auto& [path, content] : testing::files_below(folder))
    if (content.find(text) != std::string::npos) return true;
  return false;
}

BOOST_FIXTURE_TEST_SUITE(lost_output, Shelf)

BOOST_AUTO_TEST_CASE(messages_that_cannot_be_written_change_nothing) {
  const std::vector<Arguments> commands = {
      {ZEROSHELF_INDEX_PROGRAM, "stats", collection},
      {ZEROSHELF_INDEX_PROGRAM, "skips", collection},
      {ZEROSHELF_INDEX_PROGRAM, "verify", collection},
      {ZEROSHELF_INDEX_PROGRAM, "stats", (directory / "none").string()},
      {ZEROSHELF_INDEX_PROGRAM, "dance"},
      query({"classify", collection, "--labels", "red, green, blue"}),
      query({"classify", collection, "--labels", "red, green", "--format", "jsonl"}),
      query({"classify", collection, "--labels", "red", "--only", "blue"}),
      query({"search", collection, "red", "--all"}),
      query({"search", collection, "red", "--in", "text"}),
      query({"--no-such-flag"}),
      query({"--help"})};
  for (const Arguments& command : commands) {
    const ProgramResult expected = testing::run_program(command);
    for (const std::string& place : kPlaces) {
      const ProgramResult result = run(with("2", place), command);
      BOOST_TEST_CONTEXT(command[1] << ", stderr: " << place) {
        BOOST_TEST(result.exit_code == expected.exit_code);
        BOOST_TEST(result.out == expected.out);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_indexer_finishes_without_a_place_for_its_messages) {
  for (const std::string& place : kPlaces) {
    BOOST_TEST_CONTEXT("stderr: " << place) {
      const fs::path shelf = directory / place;
      BOOST_TEST(run(with("2", place), add(shelf.string())).exit_code == 3);
      BOOST_TEST(testing::zeroshelf_index({"verify", shelf.string()}).exit_code == 0);
      BOOST_TEST(testing::zeroshelf_index({"stats", shelf.string()}).out.find("5") !=
                 std::string::npos);
      // A file that took the number of the closed descriptor would hold the messages.
      BOOST_TEST(!holds(shelf, "5 added"));
    }
  }
}

BOOST_AUTO_TEST_CASE(an_export_finishes_without_a_place_for_its_messages) {
  for (const std::string& place : kPlaces) {
    const fs::path to = directory / ("to " + place);
    const ProgramResult result =
        run(with("2", place), query({"export", collection, "--labels", "red, green", "--to",
                                     to.string(), "--mode", "copy"}));
    BOOST_TEST_CONTEXT("stderr: " << place) {
      BOOST_TEST(result.exit_code == 0);
      BOOST_TEST(!holds(to, "pictures exported"));
    }
  }
}

BOOST_AUTO_TEST_CASE(results_that_cannot_be_written_are_a_failure_and_a_closed_pipe_is_none) {
  const std::vector<Arguments> commands = {
      {ZEROSHELF_INDEX_PROGRAM, "stats", collection},
      {ZEROSHELF_INDEX_PROGRAM, "verify", collection},
      {ZEROSHELF_INDEX_PROGRAM, "--version"},
      {ZEROSHELF_INDEX_PROGRAM, "add", "--help"},
      query({"classify", collection, "--labels", "red, green, blue"}),
      query({"classify", collection, "--labels", "red, green", "--format", "csv"}),
      query({"search", collection, "red", "--all"}),
      query({"--help"}),
      query({"--man"}),
      query({"--completion", "bash"})};
  for (const Arguments& command : commands) {
    BOOST_TEST_CONTEXT(command[0] << " " << command[1]) {
      for (const char* place : {"closed", "full disk"}) {
        const ProgramResult result = run(with("1", place), command);
        BOOST_TEST(result.exit_code == 2);
        BOOST_TEST(result.err.find(": standard output: cannot write: ") != std::string::npos);
      }
      const ProgramResult piped = run(with("1", "closed pipe"), command);
      BOOST_TEST(piped.exit_code == 0);
      BOOST_TEST(piped.err.find("cannot write") == std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(results_above_the_limit_of_a_file_are_a_failure) {
  const std::string out = (directory / "out").string();
  const ProgramResult result =
      run("ulimit -f 0; exec \"$0\" \"$@\" >" + out,
          {ZEROSHELF_QUERY_PROGRAM, "classify", collection, "--labels", "red", "--format", "csv"});
  BOOST_TEST(result.exit_code == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
