#pragma once

// Lists and tables that people and their programs write, read in one way: from files and pipes, with
// or without a byte order mark, with any line ends, also as the UTF-16 that spreadsheets write.
//
// Threads: any.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "lib/util/input.h"

namespace zeroshelf {

// The whole text, in UTF-8 without a byte order mark where the input has one (a text without is
// taken as it is). input: a file, a pipe, or "-" for standard input. Throws what read_input throws,
// and InvalidArgument for text with zero bytes in it.
std::string read_text_input(const std::filesystem::path& input, uint64_t limit_bytes);

// The folder to which relative paths in a list are relative: the list's own; the current one where
// the input is a pipe.
std::filesystem::path folder_of_input(const std::filesystem::path& input);

// Each line without its end (LF, CR LF or CR), numbered from 1.
void for_each_line(std::string_view text,
                   const std::function<void(size_t number, std::string_view line)>& visit);

}  // namespace zeroshelf
