#pragma once

// What both programs share: exit codes, the way errors are told, and the outer frame of main.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zeroshelf {

enum ExitCode : int {
  kDone = 0,          // done; for a query: at least one hit
  kNothingFound = 1,  // the query ran and found nothing
  kFailed = 2,        // could not do it: usage, missing, damaged or incompatible data, I/O
  kSomeSkipped = 3,   // the indexer finished and some files were skipped
};

// What a code means, for help: "done".
std::string_view meaning_of(ExitCode code);

// A program: its command line, and what the chosen subcommand does.
class Program {
 public:
  // codes: those that it returns, for help.
  Program(std::string name, std::string description,
          std::vector<ExitCode> codes = {kDone, kFailed});

  CLI::App& app() { return app_; }

  // A subcommand of the program; run returns the exit code.
  CLI::App* add_command(const std::string& name, const std::string& description,
                        std::function<int()> run);

  // What another program is asked for, to name it where one of its subcommands is given to this.
  void add_sibling(const std::string& program, const std::vector<std::string>& commands);

  // What run does when parsing has ended: for a subcommand with a callback of its own.
  void choose(std::function<int()> run) { chosen_ = std::move(run); }

  // What the subcommand's help ends with: each line what follows its name.
  void add_examples(const std::string& command, const std::vector<std::string>& lines);

  // Parses, runs, and turns every outcome into an exit code. Errors go to stderr as
  // "program: subject: cause; cure"; see message.h. A closed pipe on stdout is a quiet success,
  // anything else that keeps results from being written a failure. To be called first in main.
  int run(int argc, char** argv);

 private:
  // What is wrong with a subcommand or flag that there is not, or nothing.
  std::string unknown_command(int argc, char** argv) const;
  std::string unknown_flag(int argc, char** argv) const;
  std::string usage_error(const CLI::ParseError& error) const;
  bool print_generated(int argc, char** argv) const;
  std::string exit_status() const;  // a line a code
  void print_asked(const CLI::ParseError& error) const;
  int run_chosen(int argc, char** argv);
  int report(std::string_view message) const;

  std::string name_;
  std::vector<ExitCode> codes_;
  CLI::App app_;
  std::function<int()> chosen_;
  std::map<std::string, std::string> siblings_;  // by their subcommands
};

// Whether messages to the stream may have colours: it is a terminal that knows them, and NO_COLOR
// (https://no-color.org) is not set.
bool shows_colours(std::FILE* stream);

// "program: text" on stderr, with the name of the program that runs: what is no error and no
// warning, but must be known.
void note(std::string_view text);

// "program: warning: text" on stderr, control characters made visible.
void warn(const std::string& program, const std::string& text);
// The first few of the lines, each as a warning, and how many more there are.
void warn_each(const std::string& program, const std::vector<std::string>& lines);

}  // namespace zeroshelf
