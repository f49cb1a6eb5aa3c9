#pragma once

// Checks of flag values whose errors say what to write instead.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace zeroshelf {

// One of these names. The error tells the one that was meant, or all of them.
CLI::Validator one_of(std::vector<std::string> names);

// Bytes, e.g. 800000, 500KB or 2MB: turned into a number. A kilobyte has 1000 or 1024 bytes.
CLI::Validator byte_size(bool kilobyte_is_1000);

}  // namespace zeroshelf
