#pragma once

// Lines of tables that fit the terminal.

#include <cstdio>
#include <string>
#include <string_view>

namespace zeroshelf {

// How many columns the terminal has that the stream is; 0 where it is none.
int terminal_columns(std::FILE* stream);

// before, the path made printable, after, and the line's end. Where that is wider than the
// columns (0: never), the path loses its beginning, "…ay/2018/a.jpg", but keeps 16 columns.
std::string line_with_path(std::string_view before, std::string_view path, std::string_view after,
                           int columns);

}  // namespace zeroshelf
