// Tested through the programs by tests/programs.

#include "lib/program/program.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <new>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/program/manual.h"
#include "lib/program/message.h"
#include "lib/program/values.h"
#include "lib/program/version.h"
#include "lib/util/error.h"
#include "lib/util/no_unwinding.h"
#include "lib/util/output_stream.h"
#include "lib/util/suggest.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

// For note(), which is called where the program is not known.
std::string running_program = "zeroshelf";
constexpr const char* kOutputName = "standard output";

// With those of its groups, which are subcommands without a name to CLI11.
void collect_flags(const CLI::App* command, std::vector<std::string>& names) {
  for (const CLI::Option* option : command->get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  for (const CLI::App* group : command->get_subcommands([](const CLI::App*) { return true; })) {
    if (group->get_name().empty()) collect_flags(group, names);
  }
}

// A variable that a script forgot to set gives no value; passed over in silence it would give
// another answer than the one that was asked for.
void refuse_an_empty_value(CLI::Option& option) {
  const bool is_text = option.check_lname("text");  // an empty one is a text, too
  if (!option.get_lnames().empty() && option.get_items_expected_max() > 0 && !is_text)
    option.check(not_empty());
}

// CLI11 knows numbers that are not integers as FLOAT, unless the flag gives them a name of its own.
void refuse_what_is_not_finite(CLI::Option& option) {
  for (const char* name : {"FLOAT", "SCORE", "SHARE", "SECONDS"}) {
    if (option.get_type_name().find(name) == std::string::npos) continue;
    option.check(finite_number());
    return;
  }
}

// For the program and all its commands.
void check_all_values(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    refuse_what_is_not_finite(*option);
    refuse_an_empty_value(*option);
  }
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; }))
    check_all_values(*command);
}

constexpr std::string_view kOutOfMemory =
    "out of memory; close other programs, raise the limit (ulimit -v), or use a machine with more";

std::terminate_handler usual_end = nullptr;

[[noreturn]] void end_without_memory() noexcept {
  for (const std::string_view part : {std::string_view(running_program), std::string_view(": "),
                                      kOutOfMemory, std::string_view("\n")})
    say_text(part);
  ::_exit(kFailed);
}

// Threads that a library starts find no memory as well, and nobody catches that there.
[[noreturn]] void end_uncaught() noexcept {
  try {
    if (std::current_exception()) std::rethrow_exception(std::current_exception());
  } catch (const std::bad_alloc&) {
    end_without_memory();
  } catch (...) {
  }
  usual_end();
  std::abort();
}

void find_no_memory() {
  if (NoUnwinding::here()) end_without_memory();
  throw std::bad_alloc();
}

// The same before main, when libraries make their own things: nothing of ours is there yet.
[[noreturn]] void end_before_main() noexcept {
  try {
    if (std::current_exception()) std::rethrow_exception(std::current_exception());
  } catch (const std::bad_alloc&) {
    for (const std::string_view part :
         {std::string_view("zeroshelf: "), kOutOfMemory, std::string_view("\n")})
      if (::write(STDERR_FILENO, part.data(), part.size()) < 0) break;
    ::_exit(kFailed);
  } catch (...) {
  }
  usual_end();
  std::abort();
}

// What stands in this array of a program is called before its libraries begin.
[[gnu::section(".preinit_array"), gnu::used]] void (*const kBeforeLibraries)() = [] {
  usual_end = std::set_terminate(end_before_main);
};

// A part of a collection holds files open, and parts may be thousands. The usual limit, 1,024, is
// for programs that call select(), which nothing here does.
void allow_open_files() {
  constexpr rlim_t kEnough = 1 << 20;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, kEnough));
  ::setrlimit(RLIMIT_NOFILE, &limit);  // where that is refused, opening tells
}

}  // namespace

bool shows_colours(std::FILE* stream) {
  const auto set = [](const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
  };
  const char* terminal = std::getenv("TERM");
  return ::isatty(::fileno(stream)) == 1 && !set("NO_COLOR") && terminal != nullptr &&
         std::string_view(terminal) != "dumb";
}

std::string_view meaning_of(ExitCode code) {
  switch (code) {
    case kDone:
      return "done";
    case kNothingFound:
      return "nothing found";
    case kFailed:
      return "could not do it";
    case kSomeSkipped:
      return "done without some files or collections";
  }
  return "";
}

Program::Program(std::string name, std::string description, std::vector<ExitCode> codes)
    : name_(std::move(name)), codes_(std::move(codes)), app_(std::move(description), name_) {
  running_program = name_;
  allow_open_files();
  app_.require_subcommand(1);
  app_.set_version_flag("--version", version_text(name_));
  app_.formatter(help_formatter());
  std::string footer;
  for (const ExitCode code : codes_)
    footer += fmt::format("{} {} {}", footer.empty() ? "Exit codes:" : ",", static_cast<int>(code),
                          meaning_of(code));
  app_.footer(footer + ".");
}

CLI::App* Program::add_command(const std::string& name, const std::string& description,
                               std::function<int()> run) {
  CLI::App* command = app_.add_subcommand(name, description);
  command->callback([this, run = std::move(run)] { chosen_ = run; });
  return command;
}

// --man and --completion SHELL: for the build, which installs what they print.
bool Program::print_generated(int argc, char** argv) const {
  std::string text;
  if (argc == 2 && std::string_view(argv[1]) == "--man") {
    text = manual_page(app_, name_, std::string(version()), exit_status());
  } else if (argc == 3 && std::string_view(argv[1]) == "--completion") {
    text = completion_script(app_, name_, argv[2]);
  } else {
    return false;
  }
  OutputStream(stdout, kOutputName).write(text);
  return true;
}

std::string Program::exit_status() const {
  std::string lines;
  for (const ExitCode code : codes_)
    lines += fmt::format("{}  {}\n", static_cast<int>(code), meaning_of(code));
  return lines;
}

void Program::add_examples(const std::string& command, const std::vector<std::string>& lines) {
  std::string text = "Examples:";
  for (const std::string& line : lines) text += "\n  " + name_ + " " + command + " " + line;
  app_.get_subcommand(command)->footer(text);
}

int Program::report(std::string_view message) const {
  const bool colours = shows_colours(stderr);
  say("{}{}:{} {}\n", colours ? "\x1b[1;31m" : "", name_, colours ? "\x1b[0m" : "", message);
  return kFailed;
}

void Program::add_sibling(const std::string& program, const std::vector<std::string>& commands) {
  for (const std::string& command : commands) siblings_.emplace(command, program);
}

// CLI11 says of an unknown subcommand only that one is required.
std::string Program::unknown_command(int argc, char** argv) const {
  if (argc < 2 || argv[1][0] == '-') return "";
  std::string known;
  std::vector<std::string> names;
  for (const CLI::App* command : app_.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == argv[1]) return "";
    known += (known.empty() ? "" : ", ") + command->get_name();
    names.push_back(command->get_name());
  }
  if (known.empty()) return "";  // a program without subcommands
  if (const auto sibling = siblings_.find(argv[1]); sibling != siblings_.end())
    return sibling->first + ": no such subcommand; it is " + sibling->second + " " + sibling->first;
  const std::string meant = did_you_mean(argv[1], names);
  return printable(argv[1]) + ": no such subcommand" +
         (meant.empty() ? "; use one of " + known : meant);
}

// CLI11 tells of a required flag that is missing before it tells of the mistyped one.
std::string Program::unknown_flag(int argc, char** argv) const {
  const auto chosen = app_.get_subcommands();
  const CLI::App* command = chosen.empty() ? &app_ : chosen.front();
  std::vector<std::string> known;
  collect_flags(command, known);
  for (int i = 1; i < argc && std::string_view(argv[i]) != "--"; ++i) {
    const std::string_view argument(argv[i]);
    const std::string name(argument.substr(0, argument.find('=')));
    if (!name.starts_with("--") || std::ranges::find(known, name) != known.end()) continue;
    const std::string meant = did_you_mean(name, known);
    return printable(name) + ": no such flag" +
           (meant.empty()
                ? "; see " + name_ + (chosen.empty() ? "" : " " + command->get_name()) + " --help"
                : meant);
  }
  return "";
}

// What CLI11 says of a mistake, and where to look.
std::string Program::usage_error(const CLI::ParseError& error) const {
  std::string text = printable(error.what());
  if (text.find("; ") != std::string::npos) return text;  // it says what to do
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr)
    text += text.find(": -") != std::string::npos
                ? "; what begins with - and is no flag stands behind --"
                : "; what has blanks stands in quotes";
  const auto chosen = app_.get_subcommands();
  return text + "; see " + name_ + (chosen.empty() ? "" : " " + chosen.front()->get_name()) +
         " --help";
}

// What CLI11 has to say without a mistake being made: help and version.
void Program::print_asked(const CLI::ParseError& error) const {
  std::ostringstream text;
  app_.exit(error, text, text);
  OutputStream(stdout, kOutputName).write(text.str());
}

int Program::run_chosen(int argc, char** argv) {
  if (print_generated(argc, argv)) return kDone;
  check_all_values(app_);
  if (const std::string unknown = unknown_command(argc, argv); !unknown.empty())
    return report(unknown);
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      print_asked(error);
      return kDone;
    }
    if (const std::string unknown = unknown_flag(argc, argv); !unknown.empty())
      return report(unknown);
    return report(usage_error(error));
  }
  return chosen_();
}

int Program::run(int argc, char** argv) {
  keep_standard_descriptors();
  std::set_terminate(end_uncaught);
  std::set_new_handler(find_no_memory);
  // A closed pipe then shows as a failed write: lost on stderr, ClosedPipe on stdout.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // and so does a file that would grow beyond `ulimit -f`
  try {
    const int code = run_chosen(argc, argv);
    OutputStream(stdout, kOutputName).flush();  // what a command left to be written
    return code;
  } catch (const ClosedPipe&) {
    return kDone;
  } catch (const Error& error) {
    return report(error.what());
  } catch (const std::filesystem::filesystem_error& error) {
    return report(
        system_error(error.path1().string(), "use the path", error.code().value()).what());
  } catch (const std::bad_alloc&) {
    return report(kOutOfMemory);
  } catch (const std::exception& error) {
    return report(std::string("internal error: ") + printable(error.what()));
  }
}

void note(std::string_view text) {
  say("{}: {}\n", running_program, printable(text));
}

void warn(const std::string& program, const std::string& text) {
  const bool colours = shows_colours(stderr);
  say("{}: {}warning:{} {}\n", program, colours ? "\x1b[1;33m" : "", colours ? "\x1b[0m" : "",
      printable(text));
}

void warn_each(const std::string& program, const std::vector<std::string>& lines) {
  constexpr size_t kMostShown = 5;
  const size_t shown = lines.size() <= kMostShown + 1 ? lines.size() : kMostShown;
  for (size_t i = 0; i < shown; ++i) warn(program, lines[i]);
  if (shown < lines.size())
    warn(program, fmt::format("and {} more like this", lines.size() - shown));
}

}  // namespace zeroshelf
