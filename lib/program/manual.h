#pragma once

// Help, manual pages and shell completions, all from the flags as CLI11 knows them.

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace zeroshelf {

// A flag or a positional argument.
struct FlagDescription {
  std::vector<std::string> names;  // "-k", "--format"; of a positional its name
  bool is_positional = false;
  std::string value;                 // what stands for its value, "" for a flag without one
  std::vector<std::string> choices;  // the only values, where it has such
  std::string default_value;         // "" where there is none
  std::string text;
  bool is_required = false;
  bool is_repeatable = false;
};

// Flags that stand together.
struct FlagGroup {
  std::string name;  // "Options" for those without a group
  std::string rule;  // "exactly one of", or ""
  std::vector<FlagDescription> flags;
};

// The flags of one command, in the order in which they were added; positional arguments are the
// first group.
std::vector<FlagGroup> describe_flags(const CLI::App& command);

// The help of a program or a subcommand: --help.
std::shared_ptr<CLI::FormatterBase> help_formatter();

// The manual page of a program with all its subcommands, for man(1).
std::string manual_page(const CLI::App& program, const std::string& name,
                        const std::string& version, const std::string& exit_status);

// The completion script of a program. shell: "bash", "zsh" or "fish"; throws InvalidArgument for
// another.
std::string completion_script(const CLI::App& program, const std::string& name,
                              std::string_view shell);

}  // namespace zeroshelf
