// What lists pictures, through the real programs: paths ended by NUL whatever is in the names, only
// pictures of some labels, and a picture that is searched for by itself.

#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <set>

#include "models/clip/load.h"
#include "tests/programs/programs.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::json_lines;
using testing::ProgramResult;
using testing::zeroshelf_index;
using testing::zeroshelf_query;

constexpr int kPictures = 20;

// Pictures whose names hold line ends, blanks, quotes and bytes that are no UTF-8.
struct Shelf {
  Shelf() {
    for (int i = 0; i < kPictures; ++i) {
      const std::string name = i % 4 == 0   ? "two\nlines " + std::to_string(i) + ".ppm"
                               : i % 4 == 1 ? "\n" + std::to_string(i) + "\xff'\".ppm"
                                            : std::to_string(i) + ".ppm";
      const fs::path path = fs::path(pictures) / name;
      testing::write_file(path, testing::tinted_pixmap(i));
      paths.insert(path.string());
    }
    testing::write_file(fs::path(pictures) / "bro\nken.png", "nothing");
    const ProgramResult added = zeroshelf_index(
        {"add", collection, pictures, "--no-ocr", "--model", bundled_model().string()});
    BOOST_REQUIRE_MESSAGE(added.exit_code == 3, added.err);
    for (const char* rule : {"image", "max"}) {
      const ProgramResult saved =
          ask("classify", {"--labels", rule == std::string("image") ? "red, green" : "red, blue",
                           "--fusion", "image", "--save", rule});
      BOOST_REQUIRE_MESSAGE(saved.exit_code == 0, saved.err);
    }
  }

  // zeroshelf-query COMMAND COLLECTION ARGUMENTS...
  ProgramResult ask(const std::string& command, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {command, collection});
    return zeroshelf_query(arguments);
  }

  testing::TemporaryDirectory directory;
  std::string pictures = (directory / "pictures").string();
  std::string collection = (directory / "collection").string();
  std::set<std::string> paths;
};

Shelf& shelf() {
  static Shelf the_shelf;
  return the_shelf;
}

std::vector<std::string> split_at_nul(const std::string& text) {
  BOOST_REQUIRE((text.empty() || text.back() == '\0'));
  std::vector<std::string> parts;
  for (size_t start = 0; start < text.size();) {
    const size_t end = text.find('\0', start);
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

std::set<std::string> set_of(const std::vector<std::string>& paths) {
  std::set<std::string> all(paths.begin(), paths.end());
  BOOST_TEST(all.size() == paths.size());
  return all;
}

// The pictures to which a run gave that label.
std::set<std::string> labelled(const std::string& labels, const std::string& label) {
  std::set<std::string> paths;
  const ProgramResult said =
      shelf().ask("classify", {"--labels", labels, "--fusion", "image", "--format", "jsonl"});
  const auto all =
      split_at_nul(shelf().ask("classify", {"--labels", labels, "--fusion", "image", "-0"}).out);
  const auto lines = json_lines(said.out);
  BOOST_REQUIRE_EQUAL(lines.size(), all.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i]["label"] == label) paths.insert(all[i]);
  }
  return paths;
}

// What `zeroshelf-query search` writes to a terminal with these variables (NAME=VALUE).
std::string search_on_terminal(std::vector<std::string> more, std::vector<std::string> variables) {
  std::vector<std::string> arguments = {
      ZEROSHELF_QUERY_PROGRAM, "search", shelf().collection, "red", "--all", "-k", "2"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  std::vector<char*> argv;
  std::vector<char*> environment;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  for (std::string& variable : variables) environment.push_back(variable.data());
  argv.push_back(nullptr);
  environment.push_back(nullptr);
  int terminal = -1;
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    ::execve(argv[0], argv.data(), environment.data());
    ::_exit(127);
  }
  std::string seen;
  char block[4096];
  for (ssize_t got; (got = ::read(terminal, block, sizeof block)) > 0;)
    seen.append(block, static_cast<size_t>(got));
  ::close(terminal);
  int status = 0;
  ::waitpid(child, &status, 0);
  BOOST_TEST(WEXITSTATUS(status) == 0);
  return seen;
}

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

BOOST_AUTO_TEST_SUITE(listings)

BOOST_AUTO_TEST_CASE(thumbnails_are_shown_by_terminals_that_can_and_by_nothing_else) {
  const std::string kitty = "\x1b_Ga=T";
  const std::string iterm = "\x1b]1337;File=";
  const auto shown = search_on_terminal({}, {"TERM=xterm-kitty"});
  BOOST_TEST(count_of(shown, kitty) == 2u);
  BOOST_TEST(shown.find("iVBORw0KGgo") != std::string::npos);  // a PNG's signature in base64
  BOOST_TEST(count_of(search_on_terminal({}, {"TERM_PROGRAM=WezTerm"}), iterm) == 2u);
  BOOST_TEST(count_of(search_on_terminal({"--thumbnails", "iterm"}, {"TERM=xterm"}), iterm) == 2u);
  const std::vector<std::vector<std::string>> without = {
      {"--thumbnails", "never"}, {"--format", "jsonl"}, {"--format", "paths"}, {"-0"}};
  for (const auto& more : without)
    BOOST_TEST(count_of(search_on_terminal(more, {"TERM=xterm-kitty"}), "\x1b") == 0u);
  BOOST_TEST(count_of(search_on_terminal({}, {"TERM=xterm"}), "\x1b") == 0u);
  BOOST_TEST(count_of(search_on_terminal({}, {"TERM=xterm-kitty", "TMUX=1"}), "\x1b") == 0u);
  // To a pipe never, even when it is asked for.
  const ProgramResult piped = shelf().ask("search", {"red", "--all", "--thumbnails", "kitty"});
  BOOST_TEST(piped.exit_code == 0);
  BOOST_TEST(piped.out.find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(every_listing_ends_paths_by_nul_whatever_is_in_the_names) {
  const auto listed = [](const std::string& command, std::vector<std::string> arguments,
                         const char* flag) {
    arguments.push_back(flag);
    const ProgramResult said = shelf().ask(command, arguments);
    BOOST_TEST(said.exit_code == 0, said.err);
    return set_of(split_at_nul(said.out));
  };
  const std::vector<std::string> labels = {"--labels", "red, green", "--fusion", "image"};
  for (const char* flag : {"-0", "--null"}) {
    BOOST_TEST((listed("search", {"red", "--all", "-k", "100"}, flag) == shelf().paths));
    BOOST_TEST((listed("classify", labels, flag) == shelf().paths));
    BOOST_TEST((listed("review", {"image", "-k", "100"}, flag) == shelf().paths));
    const auto same = listed("duplicates", {"--cosine", "0.5"}, flag);
    BOOST_TEST(!same.empty());
    BOOST_TEST(std::ranges::includes(shelf().paths, same));
  }
  const ProgramResult diff = shelf().ask("diff", {"image", "max", "-0"});
  const auto moved = json_lines(shelf().ask("diff", {"image", "max", "--format", "jsonl"}).out);
  BOOST_TEST(set_of(split_at_nul(diff.out)).size() == moved.back()["moved"].get<size_t>());
  BOOST_TEST(std::ranges::includes(shelf().paths, set_of(split_at_nul(diff.out))));
  const ProgramResult skips = zeroshelf_index({"skips", shelf().collection, "-0"});
  BOOST_TEST(skips.out == shelf().pictures + "/bro\nken.png" + '\0');
}

BOOST_AUTO_TEST_CASE(nul_and_another_format_are_not_taken_together) {
  for (const char* command : {"search", "duplicates", "classify", "diff", "review"}) {
    std::vector<std::string> arguments;
    if (command == std::string("search")) arguments = {"red"};
    if (command == std::string("classify")) arguments = {"--labels", "red, green"};
    if (command == std::string("diff")) arguments = {"image", "max"};
    if (command == std::string("review")) arguments = {"image"};
    arguments.insert(arguments.end(), {"-0", "--format", "jsonl"});
    const ProgramResult said = shelf().ask(command, arguments);
    BOOST_TEST(said.exit_code == 2, command);
    BOOST_TEST(said.err.find("--null") != std::string::npos, said.err);
  }
  BOOST_TEST(zeroshelf_index({"skips", shelf().collection, "-0", "--json"}).exit_code == 2);
}

BOOST_AUTO_TEST_CASE(a_search_is_narrowed_to_a_label_of_a_saved_run) {
  const auto found = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"red", "--all", "-k", "100", "-0", "--run", "image"});
    const ProgramResult said = shelf().ask("search", arguments);
    BOOST_TEST(said.exit_code <= 1, said.err);
    return set_of(split_at_nul(said.out));
  };
  const auto red = labelled("red, green", "red");
  const auto green = labelled("red, green", "green");
  BOOST_TEST(red.size() + green.size() == size_t{kPictures});
  BOOST_TEST(!red.empty());
  BOOST_TEST(!green.empty());
  BOOST_TEST((found({"--label", "red"}) == red));
  BOOST_TEST((found({"--label", "green"}) == green));
  BOOST_TEST((found({"--label", "green", "--label", "red"}) == shelf().paths));
  // Together with another filter.
  for (const std::string& path : found({"--label", "red", "--path", "two*"})) {
    BOOST_TEST(red.contains(path));
    BOOST_TEST(path.find("/two\n") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(unknown_runs_and_labels_are_told_with_what_there_is) {
  const auto told = [](std::vector<std::string> arguments, const char* what) {
    arguments.insert(arguments.begin(), "red");
    const ProgramResult said = shelf().ask("search", arguments);
    BOOST_TEST(said.exit_code == 2);
    BOOST_TEST(said.err.find(what) != std::string::npos, said.err);
  };
  told({"--run", "imag", "--label", "red"}, "did you mean 'image'?");
  told({"--run", "tuesday", "--label", "red"}, "there are image, max");
  told({"--run", "image", "--label", "grean"}, "did you mean 'green'?");
  told({"--run", "image", "--label", "purple"}, "there are red, green");
  told({"--run", "image"}, "--label");
  told({"--label", "red"}, "--run");
}

BOOST_AUTO_TEST_CASE(classify_shows_only_the_labels_that_are_asked_for) {
  const auto only = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--labels", "red, green", "--fusion", "image"});
    return shelf().ask("classify", arguments);
  };
  BOOST_TEST(
      (set_of(split_at_nul(only({"--only", "red", "-0"}).out)) == labelled("red, green", "red")));
  for (const auto& line : json_lines(only({"--only", "green", "--format", "jsonl"}).out))
    BOOST_TEST(line["label"] == "green");
  BOOST_TEST(only({"--only", "rad"}).err.find("did you mean 'red'?") != std::string::npos);
  BOOST_TEST(only({"--only", "red", "--summary"}).exit_code == 2);
  // A picture without an answer is not listed.
  const ProgramResult none = only({"--threshold", "1", "-0"});
  BOOST_TEST(none.exit_code == 1);
  BOOST_TEST(none.out == "");
}

BOOST_AUTO_TEST_CASE(a_picture_of_the_collection_is_its_own_best_hit) {
  for (const std::string& path : shelf().paths) {
    const ProgramResult said = shelf().ask("search", {"--image", path, "-k", "1", "-0"});
    BOOST_TEST(said.exit_code == 0);
    BOOST_TEST((split_at_nul(said.out) == std::vector<std::string>{path}));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
