#pragma once

// Text for JSON, CSV, HTML and tables (whole JSON lines: json.h). Every append function adds to the end of `out`.

#include <string>
#include <string_view>

namespace zeroshelf {

// A JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, control characters and
// the line separators U+2028 and U+2029 are escaped, so that a line stays a line.
void append_json_string(std::string& out, std::string_view text);

// "path":"..." and, when the path is not UTF-8 and the text can therefore not be turned back,
// "path_base64":"..." with its exact bytes.
void append_json_path(std::string& out, std::string_view path);

// A CSV cell (RFC 4180): quoted where needed. A cell that a spreadsheet would run as a formula
// (it starts with = + - @ tab or return) gets a leading apostrophe, which CsvTable takes off. What
// is not UTF-8 becomes U+FFFD.
void append_csv_cell(std::string& out, std::string_view text);
// The cell of the column path_base64: the bytes of a path that is not UTF-8, else nothing.
void append_csv_path_base64(std::string& out, std::string_view path);

// Text for an HTML element or a quoted attribute: legible (see lib/util/text.h), with & < > " and '
// as character references. Not for scripts, styles, URLs or attributes without quotes.
void append_html(std::string& out, std::string_view text);

// The text made printable, cut or padded to exactly width columns.
std::string table_cell(std::string_view text, int width);

}  // namespace zeroshelf
