// Tested by tests/report/terminal_table_test.cc.

#include "lib/report/terminal_table.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr int kFewestColumns = 16;

// The end of the text, with a mark for what is missing before it.
std::string last_columns(std::string_view text, int width) {
  if (display_width(text) <= width) return std::string(text);
  while (!text.empty() && display_width(text) > width - 1) {
    text.remove_prefix(1);
    while (!text.empty() && (static_cast<unsigned char>(text.front()) & 0xc0) == 0x80)
      text.remove_prefix(1);
  }
  return "…" + std::string(text);
}

}  // namespace

int terminal_columns(std::FILE* stream) {
  winsize size{};
  const int file = ::fileno(stream);
  return file >= 0 && ::isatty(file) == 1 && ::ioctl(file, TIOCGWINSZ, &size) == 0 ? size.ws_col
                                                                                  : 0;
}

std::string line_with_path(std::string_view before, std::string_view path, std::string_view after,
                           int columns) {
  std::string shown = printable(path);
  if (columns > 0) {
    const int left = columns - display_width(before) - display_width(after);
    shown = last_columns(shown, std::max(left, kFewestColumns));
  }
  return std::string(before) + shown + std::string(after) + "\n";
}

}  // namespace zeroshelf
