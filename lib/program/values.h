#pragma once

// Checks of flag values whose errors say what to write instead.

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

namespace zeroshelf {

// One of these names. The error tells the one that was meant, or all of them.
CLI::Validator one_of(std::vector<std::string> names);

// A value of a flag by its name.
template <class T>
struct Choice {
  std::string name;
  T value;
};

// A flag that takes one of these names and sets the value that goes with it; both must live as long
// as the command. The value is one of theirs now, which is the default.
template <class T>
CLI::Option* add_choice(CLI::App* command, const std::string& flag, T& value,
                        std::vector<Choice<T>> choices, const std::string& help) {
  std::vector<std::string> names;
  std::string now;
  for (const Choice<T>& choice : choices) {
    names.push_back(choice.name);
    if (choice.value == value) now = choice.name;
  }
  const auto set = [&value, choices = std::move(choices)](const std::string& name) {
    for (const Choice<T>& choice : choices) {
      if (choice.name == name) value = choice.value;
    }
  };
  CLI::Option* option =
      command->add_option_function<std::string>(flag, set, help)->check(one_of(std::move(names)));
  if (!now.empty()) option->default_str(now);
  return option;
}

// Bytes, e.g. 800000, 500KB or 2.5MB: turned into a number. A kilobyte has 1000 or 1024 bytes, a
// kibibyte (KiB) 1024.
CLI::Validator byte_size(bool kilobyte_is_1000);

// A share, e.g. 0.02 or 2%: turned into a number from 0 to below 1.
CLI::Validator share_below_one();

// Not "". Program gives it to each flag that takes a value.
CLI::Validator not_empty();

// Not "nan" and not "inf", which every check of a range lets pass. Program gives it to each flag
// whose value is a number.
CLI::Validator finite_number();

}  // namespace zeroshelf
