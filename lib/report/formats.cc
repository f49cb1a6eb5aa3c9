// Tested by tests/report/formats_test.cc.

#include "lib/report/formats.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "lib/util/csv.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

// Needs no escape; most texts are all like that.
bool is_plain(char c) {
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void append_escaped(std::string& out, std::string_view utf8) {
  for (size_t i = 0; i < utf8.size(); ++i) {
    const char c = utf8[i];
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else if (utf8.substr(i).starts_with("\u2028") || utf8.substr(i).starts_with("\u2029")) {
      out += utf8[i + 2] == '\xa8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += c;
    }
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  if (std::ranges::all_of(text, is_plain)) {
    out += text;
  } else if (is_utf8(text)) {
    append_escaped(out, text);
  } else {
    append_escaped(out, to_utf8(text));
  }
  out += '"';
}

void append_json_path(std::string& out, std::string_view path) {
  out += "\"path\":";
  append_json_string(out, path);
  if (!is_utf8(path)) out += ",\"path_base64\":\"" + base64(path) + '"';
}

void append_csv_cell(std::string& out, std::string_view text) {
  const std::string cell = guarded_cell(is_utf8(text) ? std::string(text) : to_utf8(text));
  constexpr std::string_view kBlanks = " \t";
  const bool has_rim = !cell.empty() && (kBlanks.find(cell.front()) != std::string_view::npos ||
                                         kBlanks.find(cell.back()) != std::string_view::npos);
  const bool quoted = has_rim || cell.find_first_of(",\"\r\n") != std::string::npos;
  if (quoted) out += '"';
  for (const char c : cell) {
    if (c == '"') out += '"';
    out += c;
  }
  if (quoted) out += '"';
}

void append_csv_path_base64(std::string& out, std::string_view path) {
  if (!is_utf8(path)) out += base64(path);
}

void append_html(std::string& out, std::string_view text) {
  for (const char c : legible(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
}

std::string table_cell(std::string_view text, int width) {
  std::string cell = fitted(printable(text), width);
  const int padding = width - display_width(cell);
  if (padding > 0) cell.append(static_cast<size_t>(padding), ' ');
  return cell;
}

}  // namespace zeroshelf
