// Tested by tests/programs/manual_test.cc.

#include "lib/program/manual.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "lib/util/error.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr size_t kWidth = 96;
constexpr size_t kTextColumn = 28;

std::vector<const CLI::App*> subcommands_of(const CLI::App& app) {
  std::vector<const CLI::App*> commands;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_name().empty() && !command->get_group().empty()) commands.push_back(command);
  }
  return commands;
}

// "TEXT:{a,b}" -> TEXT and its choices; "UINT:UINT in [1 - 9]" -> UINT.
void split_type(const std::string& type, FlagDescription& flag) {
  const size_t colon = type.find(':');
  flag.value = type.substr(0, colon);
  if (colon == std::string::npos || type.size() < colon + 3 || type[colon + 1] != '{') return;
  std::string choice;
  for (const char c : type.substr(colon + 2)) {
    if (c == ',' || c == '}') {
      flag.choices.push_back(std::exchange(choice, ""));
      if (c == '}') break;
    } else {
      choice += c;
    }
  }
}

bool is_help(const CLI::Option& option) {
  return option.check_lname("help");
}

FlagDescription describe(const CLI::Option& option) {
  FlagDescription flag;
  flag.is_positional = option.get_positional() && option.get_lnames().empty();
  if (flag.is_positional) {
    flag.names.push_back(option.get_name(true));
  } else {
    for (const std::string& name : option.get_snames()) flag.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) flag.names.push_back("--" + name);
  }
  if (option.get_items_expected_max() > 0) split_type(option.get_type_name(), flag);
  if (!flag.is_positional && flag.choices.empty() && !flag.value.empty()) {
    // The type's own name says nothing to people.
    if (flag.value == "UINT" || flag.value == "INT") flag.value = "N";
    if (flag.value == "FLOAT") flag.value = "NUMBER";
  }
  flag.default_value = option.get_default_str();
  if (flag.default_value.starts_with('[') && flag.default_value.ends_with(']'))
    flag.default_value = flag.default_value.substr(1, flag.default_value.size() - 2);
  flag.text = option.get_description();
  flag.is_required = option.get_required();
  flag.is_repeatable = option.get_items_expected_max() > 1;
  return flag;
}

FlagGroup& group_of(std::vector<FlagGroup>& groups, const std::string& name) {
  const auto found =
      std::ranges::find_if(groups, [&](const FlagGroup& group) { return group.name == name; });
  return found != groups.end() ? *found : groups.emplace_back(FlagGroup{name, "", {}});
}

std::string without_full_stop(std::string text) {
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string lower_first(std::string text) {
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] + 32);
  return text;
}

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string value_of(const FlagDescription& flag) {
  if (flag.choices.empty()) return flag.value;
  const std::string all = joined(flag.choices, "|");
  return all.size() <= 20 ? all : "NAME";
}

// "-k, --count N"
std::string synopsis_of(const FlagDescription& flag) {
  std::string text = joined(flag.names, ", ");
  if (!flag.is_positional && !flag.value.empty()) text += " " + value_of(flag);
  return text;
}

// The description with what else there is to know.
std::string full_text(const FlagDescription& flag) {
  std::string text = flag.text;
  if (!flag.choices.empty() && value_of(flag) == "NAME") text += ": " + joined(flag.choices, ", ");
  std::vector<std::string> more;
  if (flag.is_required && !flag.is_positional) more.push_back("required");
  if (!flag.default_value.empty()) more.push_back("default: " + flag.default_value);
  if (!more.empty()) text += " [" + joined(more, "; ") + "]";
  return text;
}

// Lines of at most `width` columns; words longer than that stay whole.
std::vector<std::string> wrapped(std::string_view text, size_t width) {
  std::vector<std::string> lines(1);
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find(' ', start), text.size());
    const std::string word(text.substr(start, end - start));
    std::string& line = lines.back();
    const auto columns = static_cast<size_t>(display_width(line) + display_width(word)) + 1;
    if (!line.empty() && columns > width) {
      lines.push_back(word);
    } else {
      line += (line.empty() ? "" : " ") + word;
    }
    start = end + 1;
  }
  return lines;
}

void append_entry(std::string& out, const std::string& left, const std::string& text) {
  std::string line = "  " + left;
  const auto used = static_cast<size_t>(display_width(line));
  if (used + 2 > kTextColumn) {
    out += line + "\n";
    line.assign(kTextColumn, ' ');
  } else {
    line.append(kTextColumn - used, ' ');
  }
  bool first = true;
  for (const std::string& part : wrapped(text, kWidth - kTextColumn)) {
    out += (first ? line : std::string(kTextColumn, ' ')) + part + "\n";
    first = false;
  }
}

std::string usage_of(const CLI::App& app, const std::string& name) {
  std::string usage = name;
  if (!subcommands_of(app).empty()) return usage + " SUBCOMMAND ...";
  for (const FlagGroup& group : describe_flags(app)) {
    for (const FlagDescription& flag : group.flags) {
      if (!flag.is_positional) continue;
      const std::string shown = flag.names[0] + (flag.is_repeatable ? "..." : "");
      usage += flag.is_required ? " " + shown : " [" + shown + "]";
    }
  }
  for (const FlagGroup& group : describe_flags(app)) {
    for (const FlagDescription& flag : group.flags) {
      if (!flag.is_positional && flag.is_required)
        usage += " " + flag.names.back() + " " + value_of(flag);
    }
  }
  return usage + " [FLAG]...";
}

class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode) const override {
    const std::string full = app->get_parent() != nullptr && !name.empty()
                                 ? app->get_parent()->get_name() + " " + app->get_name()
                                 : app->get_name();
    std::string out = app->get_description() + "\n\nUsage: " + usage_of(*app, full) + "\n";
    const auto commands = subcommands_of(*app);
    if (!commands.empty()) {
      out += "\nSubcommands (each has a --help):\n";
      for (const CLI::App* command : commands)
        append_entry(out, command->get_name(), command->get_description());
    }
    for (const FlagGroup& group : describe_flags(*app)) {
      out += "\n" + group.name + (group.rule.empty() ? "" : " (" + group.rule + ")") + ":\n";
      for (const FlagDescription& flag : group.flags)
        append_entry(out, synopsis_of(flag), full_text(flag));
    }
    const std::string footer = app->get_footer();
    return out + (footer.empty() ? "" : "\n" + footer + "\n");
  }
};

// --- man ----------------------------------------------------------------------------------------

std::string roff(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool begins = i == 0 || text[i - 1] == '\n';
    if (begins && (text[i] == '.' || text[i] == '\'')) out += "\\&";
    if (text[i] == '\\') {
      out += "\\e";
    } else if (text[i] == '-') {
      out += "\\-";
    } else {
      out += text[i];
    }
  }
  return out;
}

void append_man_flags(std::string& out, const CLI::App& app) {
  for (const FlagGroup& group : describe_flags(app)) {
    out += ".PP\n" + roff(group.name + (group.rule.empty() ? "" : " (" + group.rule + ")")) + ":\n";
    for (const FlagDescription& flag : group.flags) {
      out += ".TP\n.B " + roff(synopsis_of(flag)) + "\n" + roff(full_text(flag)) + "\n";
    }
  }
}

void append_man_footer(std::string& out, const CLI::App& app) {
  if (!app.get_footer().empty()) out += ".PP\n.nf\n" + roff(app.get_footer()) + "\n.fi\n";
}

// --- completion ---------------------------------------------------------------------------------

// Flags and arguments whose values are names kept with the collection, and the folders of
// COLLECTION/attachments that have them; see docs/collection-format.md.
std::string kept_folders(const FlagDescription& flag) {
  const std::string& name = flag.names.back();
  if (name == "--classifier") return "classifiers";
  if (name == "--calibration") return "calibrations";
  if (name == "--keep-current") return "runs";
  if (name == "--not-current") return "current";
  if (name == "--run" || name == "RUN" || name == "BEFORE" || name == "AFTER") return "runs";
  return name == "--remove" ? "runs calibrations classifiers" : "";
}

// The kind of the arguments behind the collection; "" where they are files.
std::string kept_arguments(const CLI::App& command) {
  for (const FlagGroup& group : describe_flags(command)) {
    for (const FlagDescription& flag : group.flags) {
      if (flag.is_positional && !kept_folders(flag).empty()) return kept_folders(flag);
    }
  }
  return "";
}

std::vector<FlagDescription> all_flags(const CLI::App& app) {
  std::vector<FlagDescription> flags;
  for (const FlagGroup& group : describe_flags(app)) {
    for (const FlagDescription& flag : group.flags) {
      if (!flag.is_positional) flags.push_back(flag);
    }
  }
  return flags;
}

std::string identifier(std::string name) {
  std::ranges::replace(name, '-', '_');
  return "_" + name;
}

std::string all_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const FlagDescription& flag : all_flags(app))
    names.insert(names.end(), flag.names.begin(), flag.names.end());
  return joined(names, " ");
}

std::string bash_completion(const CLI::App& program, const std::string& name) {
  std::vector<std::string> commands;
  std::string cases;
  std::string values;
  for (const CLI::App* command : subcommands_of(program)) {
    commands.push_back(command->get_name());
    const std::string arguments = kept_arguments(*command);
    fmt::format_to(std::back_inserter(cases), "    {}) flags=\"{}\"{} ;;\n", command->get_name(),
                   all_names(*command), arguments.empty() ? "" : " kept=\"" + arguments + "\"");
    for (const FlagDescription& flag : all_flags(*command)) {
      const std::string kept = kept_folders(flag);
      if (flag.choices.empty() && kept.empty()) continue;
      for (const std::string& one : flag.names) {
        fmt::format_to(std::back_inserter(values), "    {}:{}) values=\"{}\" ;;\n",
                       command->get_name(), one,
                       kept.empty() ? joined(flag.choices, " ")
                                    : "$(" + identifier(name) + "_kept " + kept + ")");
      }
    }
  }
  return fmt::format(R"sh(# bash completion of {0}
# What is kept with the collection, which is the first argument.
{1}_kept() {{
  local kind collection=${{COMP_WORDS[2]/#\~/$HOME}}
  for kind; do command ls -- "$collection/attachments/$kind" 2>/dev/null; done
}}
{1}() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
  local command=${{COMP_WORDS[1]}} flags="" values="" kept=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "{2} {3}" -- "$current")
    return
  fi
  case "$command:$previous" in
{4}  esac
  if [ -n "$values" ]; then
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current")
    return
  fi
  case "$command" in
{5}  esac
  if [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$current")
  elif [ -n "$kept" ] && [ "$COMP_CWORD" -gt 2 ]; then
    mapfile -t COMPREPLY < <(compgen -W "$({1}_kept $kept)" -- "$current")
  fi
}}
complete -o bashdefault -o default -F {1} {0}
)sh",
                     name, identifier(name), joined(commands, " "), all_names(program), values,
                     cases);
}

// Between single quotes.
std::string single_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// In the specifications of _arguments, brackets and colons mean something.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_completion(const CLI::App& program, const std::string& name) {
  std::string commands;
  std::string cases;
  for (const CLI::App* command : subcommands_of(program)) {
    commands += "    " +
                single_quoted(zsh_text(command->get_name()) + ":" + command->get_description()) +
                "\n";
    cases += "    " + command->get_name() + ")\n      _arguments";
    for (const FlagDescription& flag : all_flags(*command)) {
      for (const std::string& one : flag.names) {
        std::string spec = (flag.is_repeatable ? "*" : "") + one + "[" + zsh_text(flag.text) + "]";
        if (!flag.value.empty()) {
          const std::string kept = kept_folders(flag);
          spec += ":" + zsh_text(value_of(flag)) + ":" +
                  (!kept.empty()          ? " " + identifier(name) + "_kept " + kept
                   : flag.choices.empty() ? "_files"
                                          : "(" + joined(flag.choices, " ") + ")");
        }
        cases += " \\\n        " + single_quoted(spec);
      }
    }
    const std::string kept = kept_arguments(*command);
    cases += kept.empty() ? " \\\n        '*:file:_files'\n      ;;\n"
                          : " \\\n        '1:collection:_files' \\\n        '*:run: " +
                                identifier(name) + "_kept " + kept + "'\n      ;;\n";
  }
  return fmt::format(R"(#compdef {0}
# What is kept with the collection, which is the first argument.
{1}_kept() {{
  local -a names
  local kind
  for kind; do names+=(${{words[2]/#\~/$HOME}}/attachments/$kind/*(N:t)); done
  compadd -a names
}}
{1}() {{
  local -a commands
  commands=(
{2}  )
  if (( CURRENT == 2 )); then
    _describe -t commands command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
{3}  esac
}}
{1} "$@"
)",
                     name, identifier(name), commands, cases);
}

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_completion(const CLI::App& program, const std::string& name) {
  const std::string kept_function = "_" + identifier(name) + "_kept";
  std::string out = "# fish completion of " + name + "\n" +
                    fmt::format(R"(# What is kept with the collection, which is the first argument.
function {}
  set -l words (commandline -opc)
  set -l collection (string replace -r '^~' $HOME -- $words[3])
  for kind in $argv
    command ls -- $collection/attachments/$kind 2>/dev/null
  end
end
)",
                                kept_function);
  for (const CLI::App* command : subcommands_of(program)) {
    fmt::format_to(std::back_inserter(out),
                   "complete -c {} -f -n __fish_use_subcommand -a {} -d {}\n", name,
                   command->get_name(), fish_quoted(command->get_description()));
    for (const FlagDescription& flag : all_flags(*command)) {
      fmt::format_to(std::back_inserter(out), "complete -c {} -n '__fish_seen_subcommand_from {}'",
                     name, command->get_name());
      for (const std::string& one : flag.names)
        out += one.starts_with("--") ? " -l " + one.substr(2) : " -s " + one.substr(1);
      if (const std::string kept = kept_folders(flag); !kept.empty()) {
        out += " -x -a " + fish_quoted("(" + kept_function + " " + kept + ")");
      } else if (!flag.choices.empty()) {
        out += " -x -a " + fish_quoted(joined(flag.choices, " "));
      } else if (!flag.value.empty()) {
        out += " -r -F";
      }
      out += " -d " + fish_quoted(flag.text) + "\n";
    }
    const std::string kept = kept_arguments(*command);
    if (kept.empty()) continue;
    fmt::format_to(std::back_inserter(out),
                   "complete -c {} -n '__fish_seen_subcommand_from {}; and test (count "
                   "(commandline -opc)) -gt 2' -f -a '({} {})'\n",
                   name, command->get_name(), kept_function, kept);
  }
  return out;
}

}  // namespace

std::vector<FlagGroup> describe_flags(const CLI::App& command) {
  std::vector<FlagGroup> positionals = {{"Arguments", "", {}}};
  std::vector<FlagGroup> groups;
  for (const CLI::App* group : command.get_subcommands([](const CLI::App*) { return true; })) {
    if (!group->get_name().empty()) continue;
    FlagGroup described{group->get_group(), lower_first(group->get_description()), {}};
    for (const CLI::Option* option : group->get_options()) {
      if (!is_help(*option))
        described.flags.push_back(describe(*option));  // each group has its own
    }
    groups.push_back(std::move(described));
  }
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_group().empty()) continue;  // hidden
    FlagDescription flag = describe(*option);
    if (is_help(*option)) flag.text = "This help";
    auto& where = flag.is_positional ? positionals : groups;
    group_of(where, flag.is_positional ? "Arguments" : option->get_group())
        .flags.push_back(std::move(flag));
  }
  // What stands alone comes after the groups that people ask for, and the model last.
  const auto rank = [](const FlagGroup& group) {
    return group.name == "Model" ? 3 : group.name == "Options" ? 2 : group.rule.empty() ? 1 : 0;
  };
  std::ranges::stable_sort(groups, {}, rank);
  if (!positionals[0].flags.empty()) groups.insert(groups.begin(), std::move(positionals[0]));
  return groups;
}

std::shared_ptr<CLI::FormatterBase> help_formatter() {
  return std::make_shared<HelpFormatter>();
}

std::string manual_page(const CLI::App& program, const std::string& name,
                        const std::string& version, const std::string& exit_status) {
  std::string upper = name;
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  std::string out = fmt::format(".TH {} 1 \"\" \"zeroshelf {}\"\n", roff(upper), version);
  out += ".SH NAME\n" + roff(name) + " \\- " +
         roff(lower_first(without_full_stop(program.get_description()))) + "\n";
  out += ".SH SYNOPSIS\n.B " + roff(name) + "\nSUBCOMMAND ...\n.SH SUBCOMMANDS\n";
  for (const CLI::App* command : subcommands_of(program)) {
    out += ".SS " + roff(command->get_name()) + "\n" + roff(command->get_description()) +
           ".\n.PP\n.B " + roff(usage_of(*command, name + " " + command->get_name())) + "\n";
    append_man_flags(out, *command);
    if (command->get_footer() != program.get_footer()) append_man_footer(out, *command);
  }
  out += ".SH EXIT STATUS\n.nf\n" + exit_status + ".fi\n";
  out += ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nAny value but an empty one: no colours in messages.\n";
  return out;
}

std::string completion_script(const CLI::App& program, const std::string& name,
                              std::string_view shell) {
  if (shell == "bash") return bash_completion(program, name);
  if (shell == "zsh") return zsh_completion(program, name);
  if (shell == "fish") return fish_completion(program, name);
  throw Error(ErrorCode::InvalidArgument, "--completion",
              "no completion for '" + std::string(shell) + "'", "use bash, zsh or fish");
}

}  // namespace zeroshelf
