#pragma once

// Text that came from files, file names and pictures, made safe to show and to pass on.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace zeroshelf {

bool is_utf8(std::string_view bytes);

// Every byte sequence that is not UTF-8 becomes U+FFFD.
std::string to_utf8(std::string_view bytes);

// For a terminal, one line: not UTF-8, control characters (C0, C1, delete) and the invisible
// characters that reorder or hide text become visible escapes such as \x1b or \u202e.
std::string printable(std::string_view bytes);

// For a page or a window, one line: each of what printable() escapes becomes U+FFFD instead, except
// the joiners (U+200C, U+200D) that scripts and emoji are written with. The result is UTF-8 without
// a character that could end, hide or reorder what stands beside it.
std::string legible(std::string_view bytes);

// The code points of a UTF-8 text; U+FFFD for bytes that are none.
std::u32string code_points(std::string_view utf8);

// White space at both ends removed (ASCII space, tab, newline, return, form feed).
std::string_view trimmed(std::string_view text);

// RFC 4648 base64 with padding.
std::string base64(std::string_view bytes);
// And back; nothing for what is no such text.
std::optional<std::string> from_base64(std::string_view text);

// "1,234,567"
std::string with_thousands(uint64_t value);

// "a, b and 3 more": at most so many of them, and how many there are besides.
std::string first_few(std::span<const std::string> all, size_t most);

// The number of terminal columns that a UTF-8 text takes (East Asian wide characters take two).
int display_width(std::string_view utf8);

// The text cut to at most width columns, with an ellipsis where something was cut.
std::string fitted(std::string_view utf8, int width);

}  // namespace zeroshelf
