#pragma once

// What a user names to be read: a file, a pipe, or "-" for standard input.

#include <cstdint>
#include <filesystem>
#include <string>

namespace zeroshelf {

// All of it; waits for the end of a pipe. Throws NotFound, Io, or InvalidArgument when it has more
// than limit bytes.
std::string read_input(const std::filesystem::path& path, uint64_t limit_bytes);

// Whether it is a file, which can be mapped and read again.
bool is_regular_input(const std::filesystem::path& path);

// How an input is called in messages.
std::string name_of_input(const std::filesystem::path& input);

}  // namespace zeroshelf
