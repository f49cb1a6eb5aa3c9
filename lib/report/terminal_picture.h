#pragma once

// Pictures in the text of terminals that can show them.

#include <functional>
#include <string>
#include <string_view>

namespace zeroshelf {

enum class PictureProtocol {
  None,
  Kitty,  // https://sw.kovidgoyal.net/kitty/graphics-protocol/
  Iterm,  // https://iterm2.com/documentation-images.html
};

// What the terminal says by its environment that it can show: kitty and Ghostty by TERM or
// KITTY_WINDOW_ID, iTerm2 and WezTerm by TERM_PROGRAM or LC_TERMINAL. None inside tmux and screen,
// which do not pass pictures on, and for any other. get gives a variable's value, or null.
PictureProtocol announced_protocol(const std::function<const char*(const char*)>& get);

// The bytes that show a PNG file at the cursor, at most 5 lines high and 40 columns wide, and end
// its last line. Empty with None. The size in pixels is that of the PNG.
std::string terminal_picture(PictureProtocol protocol, std::string_view png, int width_px,
                             int height_px);

}  // namespace zeroshelf
