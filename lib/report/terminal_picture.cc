// Tested by tests/report/terminal_picture_test.cc.

#include "lib/report/terminal_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr int kLines = 5;
constexpr int kColumns = 40;
constexpr int kLineColumns = 2;  // a line is about as high as this many columns are wide

// q=2: the terminal must not answer, or its answer is taken for typed keys.
std::string kitty_picture(std::string_view png, int width_px, int height_px) {
  constexpr size_t kMostBytes = 4096;  // of base64 in one command
  const std::string content = base64(png);
  const bool is_wide = int64_t{width_px} * kLines * kLineColumns > int64_t{height_px} * kColumns;
  std::string out = fmt::format("\x1b_Ga=T,f=100,q=2,{},", is_wide ? fmt::format("c={}", kColumns)
                                                                   : fmt::format("r={}", kLines));
  for (size_t start = 0; start < content.size(); start += kMostBytes) {
    if (start > 0) out += "\x1b_G";
    const bool is_last = start + kMostBytes >= content.size();
    fmt::format_to(std::back_inserter(out), "m={};", is_last ? 0 : 1);
    out.append(content, start, kMostBytes);
    out += "\x1b\\";
  }
  return out + "\n";
}

std::string iterm_picture(std::string_view png) {
  return fmt::format(
      "\x1b]1337;File=inline=1;size={};width={};height={};preserveAspectRatio=1:{}\x07\n",
      png.size(), kColumns, kLines, base64(png));
}

}  // namespace

PictureProtocol announced_protocol(const std::function<const char*(const char*)>& get) {
  const auto value = [&](const char* name) -> std::string_view {
    const char* text = get(name);
    return text != nullptr ? text : "";
  };
  const std::string_view terminal = value("TERM");
  const std::string_view program = value("TERM_PROGRAM");
  const bool is_wrapped = !value("TMUX").empty() || !value("STY").empty() ||
                          terminal.starts_with("tmux") || terminal.starts_with("screen");
  if (is_wrapped || terminal == "dumb") return PictureProtocol::None;
  if (terminal == "xterm-kitty" || terminal == "xterm-ghostty" || program == "ghostty" ||
      !value("KITTY_WINDOW_ID").empty()) {
    return PictureProtocol::Kitty;
  }
  if (program == "iTerm.app" || program == "WezTerm" || value("LC_TERMINAL") == "iTerm2")
    return PictureProtocol::Iterm;
  return PictureProtocol::None;
}

std::string terminal_picture(PictureProtocol protocol, std::string_view png, int width_px,
                             int height_px) {
  switch (protocol) {
    case PictureProtocol::Kitty:
      return kitty_picture(png, width_px, height_px);
    case PictureProtocol::Iterm:
      return iterm_picture(png);
    case PictureProtocol::None:
      break;
  }
  return "";
}

}  // namespace zeroshelf
