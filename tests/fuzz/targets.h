#pragma once

// What is fuzzed: every reader of bytes that others may have written.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace zeroshelf::testing {

struct Target {
  std::string name;
  std::vector<std::string> seeds;       // sound inputs, made by code
  std::vector<std::string> dictionary;  // words of the format
  // Repairs checksums after a mutation, so that what lies behind them is reached too; may be empty.
  std::function<void(std::string&)> seal;
  // Reads the input as the program would, checks what must hold of the result, and says what came
  // of it. An Error or a Skip is an outcome; anything else that is thrown, a crash or a violated
  // promise (std::logic_error) is a finding.
  std::function<std::string(const std::string&)> read;
};

// The names, in the order in which they run; those of planted bugs ("planted-crash",
// "planted-hang", "planted-memory"), by which the fuzzer itself is tested, are not among them.
const std::vector<std::string>& target_names();

// Throws Error(InvalidArgument) for a name that is not known.
Target make_target(std::string_view name);

}  // namespace zeroshelf::testing
