// Help, manual pages and completions of the real programs.

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <sstream>

#include "tests/programs/programs.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

using testing::ProgramResult;
using testing::run_program;

const std::vector<std::string> kPrograms = {ZEROSHELF_INDEX_PROGRAM, ZEROSHELF_QUERY_PROGRAM};

std::string said(std::vector<std::string> arguments) {
  const ProgramResult result = run_program(arguments);
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  return result.out;
}

std::vector<std::string> subcommands(const std::string& program) {
  std::istringstream help(said({program, "--help"}));
  std::vector<std::string> names;
  bool listing = false;
  for (std::string line; std::getline(help, line);) {
    if (line.starts_with("Subcommands")) {
      listing = true;
    } else if (line.empty()) {
      listing = false;
    } else if (listing && line.starts_with("  ") && line[2] != ' ') {
      names.push_back(line.substr(2, line.find(' ', 2) - 2));
    }
  }
  return names;
}

// Whether the interpreter takes the script; true where it is not installed.
bool is_sound(const std::string& shell, const std::string& script) {
  if (run_program({"/bin/sh", "-c", "command -v " + shell}).exit_code != 0) return true;
  const testing::TemporaryDirectory directory;
  testing::write_file(directory / "script", script);
  const ProgramResult result =
      run_program({"/usr/bin/env", shell, "-n", (directory / "script").string()});
  BOOST_TEST(result.err == "");
  return result.exit_code == 0;
}

BOOST_AUTO_TEST_SUITE(manual)

BOOST_AUTO_TEST_CASE(every_subcommand_has_a_help_that_fits_a_screen_in_width) {
  for (const std::string& program : kPrograms) {
    const auto names = subcommands(program);
    BOOST_TEST(names.size() >= 6u);
    for (const std::string& name : names) {
      const std::string help = said({program, name, "--help"});
      BOOST_TEST(help.find("Usage: zeroshelf-") != std::string::npos);
      BOOST_TEST(help.find("TEXT:{") == std::string::npos);
      std::istringstream lines(help);
      for (std::string line; std::getline(lines, line);)
        BOOST_TEST((line.size() <= 110 || line.find("  zeroshelf-") == 0), line);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_manual_names_every_subcommand_and_no_line_is_an_accidental_request) {
  for (const std::string& program : kPrograms) {
    const std::string page = said({program, "--man"});
    BOOST_TEST(page.starts_with(".TH ZEROSHELF"));
    std::istringstream lines(page);
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with('.')) continue;
      const std::string request = line.substr(0, line.find(' '));
      const std::vector<std::string> known = {".TH", ".SH", ".SS", ".PP",
                                              ".TP", ".B",  ".nf", ".fi"};
      BOOST_TEST((std::ranges::find(known, request) != known.end()), line);
    }
    for (const std::string& name : subcommands(program)) {
      std::string escaped;
      for (const char c : name) escaped += c == '-' ? std::string("\\-") : std::string(1, c);
      BOOST_TEST(page.find(".SS " + escaped + "\n") != std::string::npos, name);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_other_programs_subcommands_are_known) {
  for (const size_t i : {0, 1}) {
    const auto own = subcommands(kPrograms[i]);
    for (const std::string& name : subcommands(kPrograms[1 - i])) {
      if (std::ranges::find(own, name) != own.end()) continue;
      const ProgramResult refused = run_program({kPrograms[i], name, "x.shelf"});
      BOOST_TEST(refused.exit_code == 2);
      const std::string other = i == 0 ? "zeroshelf-query " : "zeroshelf-index ";
      BOOST_TEST(refused.err.find("it is " + other + name) != std::string::npos, refused.err);
    }
  }
}

BOOST_AUTO_TEST_CASE(shells_take_the_completions) {
  for (const std::string& program : kPrograms) {
    for (const std::string shell : {"bash", "zsh", "fish"}) {
      const std::string script = said({program, "--completion", shell});
      for (const std::string& name : subcommands(program))
        BOOST_TEST(script.find(name) != std::string::npos);
      BOOST_TEST(is_sound(shell, script));
    }
    BOOST_TEST(run_program({program, "--completion", "csh"}).exit_code == 2);
  }
}

BOOST_AUTO_TEST_CASE(bash_completes_subcommands_flags_and_values) {
  const testing::TemporaryDirectory directory;
  testing::write_file(directory / "script",
                      said({ZEROSHELF_QUERY_PROGRAM, "--completion", "bash"}));
  const auto completed = [&](const std::string& words, int current) {
    return said({"/bin/bash", "-c",
                 "source \"$0\"; COMP_WORDS=(" + words + "); COMP_CWORD=" +
                     std::to_string(current) + "; _zeroshelf_query; echo \"${COMPREPLY[*]}\"",
                 (directory / "script").string()});
  };
  BOOST_TEST(completed("zeroshelf-query exp", 1) == "export\n");
  BOOST_TEST(completed("zeroshelf-query export shelf --unsu", 3) == "--unsure-to\n");
  BOOST_TEST(completed("zeroshelf-query export shelf --mode m", 4) == "move\n");
  BOOST_TEST(completed("zeroshelf-query classify shelf --fusion ma", 4) == "max\n");
  // What is kept with the collection.
  testing::write_file(directory / "attachments" / "classifiers" / "pets", "");
  testing::write_file(directory / "attachments" / "runs" / "monday", "");
  const std::string shelf = directory.path().string();
  BOOST_TEST(completed("zeroshelf-query classify " + shelf + " --classifier p", 4) == "pets\n");
  BOOST_TEST(completed("zeroshelf-query review " + shelf + " m", 3) == "monday\n");
  BOOST_TEST(completed("zeroshelf-query diff " + shelf + " monday m", 4) == "monday\n");
  BOOST_TEST(completed("zeroshelf-query runs " + shelf + " --remove mo", 4) == "monday\n");
}

BOOST_AUTO_TEST_CASE(messages_have_no_colours_where_no_terminal_is) {
  const ProgramResult result = run_program({ZEROSHELF_QUERY_PROGRAM, "dance"});
  BOOST_TEST(result.err.find('\x1b') == std::string::npos);
  // On a terminal they have, unless NO_COLOR says no.
  if (run_program({"/bin/sh", "-c", "command -v script"}).exit_code != 0) return;
  const auto on_terminal = [](const std::string& environment) {
    return run_program({"/bin/sh", "-c",
                        "TERM=xterm " + environment +
                            " script -qec '" ZEROSHELF_QUERY_PROGRAM
                            " dance' /dev/null </dev/null"})
        .out;
  };
  BOOST_TEST(on_terminal("NO_COLOR=").find("\x1b[1;31m") != std::string::npos);
  BOOST_TEST(on_terminal("NO_COLOR=1").find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
