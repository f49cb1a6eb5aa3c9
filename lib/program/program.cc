// Tested through the programs by tests/programs.

#include "lib/program/program.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <utility>

#include "lib/output/output_stream.h"
#include "lib/util/error.h"
#include "lib/util/text.h"

namespace zeroshelf {

Program::Program(std::string name, std::string description)
    : name_(std::move(name)), app_(std::move(description), name_) {
  app_.require_subcommand(1);
  app_.set_version_flag("--version", name_ + " " ZEROSHELF_VERSION);
  app_.get_formatter()->column_width(34);
  app_.footer(
      "Exit codes: 0 done, 1 nothing found, 2 could not do it, 3 done with some files skipped.");
}

CLI::App* Program::add_command(const std::string& name, const std::string& description,
                               std::function<int()> run) {
  CLI::App* command = app_.add_subcommand(name, description);
  command->callback([this, run = std::move(run)] { chosen_ = run; });
  return command;
}

int Program::report(const std::string& message) const {
  fmt::print(stderr, "{}: {}\n", name_, message);
  return kFailed;
}

// CLI11 says of an unknown subcommand only that one is required.
std::string Program::unknown_command(int argc, char** argv) const {
  if (argc < 2 || argv[1][0] == '-') return "";
  std::string known;
  for (const CLI::App* command : app_.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == argv[1]) return "";
    known += (known.empty() ? "" : ", ") + command->get_name();
  }
  if (known.empty()) return "";  // a program without subcommands
  return printable(argv[1]) + ": no such subcommand; use one of " + known;
}

int Program::run(int argc, char** argv) {
  // A closed pipe then shows as a failed write, which OutputStream turns into ClosedPipe.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    if (const std::string unknown = unknown_command(argc, argv); !unknown.empty())
      return report(unknown);
    app_.parse(argc, argv);
    return chosen_();
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0)
      return app_.exit(error) == 0 ? kDone : kFailed;  // help, version
    return report(printable(error.what()) + "; see " + name_ + " --help");
  } catch (const ClosedPipe&) {
    return kDone;
  } catch (const Error& error) {
    return report(error.what());
  } catch (const std::bad_alloc&) {
    return report("out of memory; close other programs or use a machine with more");
  } catch (const std::exception& error) {
    return report(std::string("internal error: ") + printable(error.what()));
  }
}

void warn(const std::string& program, const std::string& text) {
  fmt::print(stderr, "{}: warning: {}\n", program, printable(text));
}

}  // namespace zeroshelf
