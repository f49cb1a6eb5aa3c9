#pragma once

// The real programs, called as a user calls them, and what they answer.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/run_program.h"

namespace zeroshelf::testing {

ProgramResult zeroshelf_index(std::vector<std::string> arguments);
// Killed with SIGKILL after that time, if it still runs then.
ProgramResult zeroshelf_index_killed(std::vector<std::string> arguments,
                                     std::chrono::microseconds after);
// Sent SIGINT, as Ctrl-C does, after that time.
ProgramResult zeroshelf_index_interrupted(std::vector<std::string> arguments,
                                          std::chrono::microseconds after);
ProgramResult zeroshelf_query(std::vector<std::string> arguments);

// The lines of JSON Lines output.
std::vector<nlohmann::json> json_lines(const std::string& text);

// Every file below the folder with its bytes, to see that nothing was changed.
std::vector<std::pair<std::string, std::string>> files_below(const std::filesystem::path& folder);

// A file of 16 x 16 pixels that no other number has: of noise, or of one
// colour with a little noise.
std::string noise_pixmap(int number);
std::string tinted_pixmap(int number);

double cosine(const std::vector<float>& a, const std::vector<float>& b);

}  // namespace zeroshelf::testing
