#pragma once

// Runs a real program and keeps what it says.

#include <chrono>
#include <string>
#include <vector>

namespace zeroshelf::testing {

struct ProgramResult {
  int exit_code = -1;  // 128 + signal when a signal ended it
  std::string out;
  std::string err;
};

// arguments[0] is the program's path. Standard input is empty. A program that runs longer than the
// limit is killed, which shows as exit code 137.
ProgramResult run_program(const std::vector<std::string>& arguments,
                          std::chrono::microseconds limit = std::chrono::seconds(300));

}  // namespace zeroshelf::testing
