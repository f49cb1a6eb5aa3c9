#include "lib/report/terminal_picture.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <random>
#include <string>

#include "lib/util/text.h"

namespace zeroshelf {
namespace {

PictureProtocol announced(const std::map<std::string, std::string>& variables) {
  return announced_protocol([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

std::string random_bytes(size_t count) {
  std::mt19937 random(7);
  std::string bytes;
  while (bytes.size() < count) bytes += static_cast<char>(random());
  return bytes;
}

BOOST_AUTO_TEST_SUITE(terminal_pictures)

BOOST_AUTO_TEST_CASE(only_terminals_that_announce_pictures_get_them) {
  BOOST_TEST((announced({{"TERM", "xterm-kitty"}}) == PictureProtocol::Kitty));
  BOOST_TEST((announced({{"TERM", "xterm-256color"}, {"KITTY_WINDOW_ID", "1"}}) ==
              PictureProtocol::Kitty));
  BOOST_TEST((announced({{"TERM", "xterm-ghostty"}}) == PictureProtocol::Kitty));
  BOOST_TEST((announced({{"TERM_PROGRAM", "iTerm.app"}}) == PictureProtocol::Iterm));
  BOOST_TEST((announced({{"TERM_PROGRAM", "WezTerm"}}) == PictureProtocol::Iterm));
  BOOST_TEST((announced({{"LC_TERMINAL", "iTerm2"}}) == PictureProtocol::Iterm));
  BOOST_TEST((announced({}) == PictureProtocol::None));
  BOOST_TEST((announced({{"TERM", "xterm-256color"}}) == PictureProtocol::None));
  BOOST_TEST((announced({{"TERM", "dumb"}, {"TERM_PROGRAM", "WezTerm"}}) == PictureProtocol::None));
}

BOOST_AUTO_TEST_CASE(inside_tmux_and_screen_the_outer_terminal_is_not_believed) {
  for (const auto& wrapped : {std::pair("TMUX", "/tmp/tmux,1,0"), std::pair("STY", "1.screen"),
                              std::pair("TERM", "tmux-256color"), std::pair("TERM", "screen")}) {
    BOOST_TEST((announced({wrapped, {"KITTY_WINDOW_ID", "1"}}) == PictureProtocol::None));
    BOOST_TEST((announced({wrapped, {"LC_TERMINAL", "iTerm2"}}) == PictureProtocol::None));
  }
}

BOOST_AUTO_TEST_CASE(a_small_picture_is_one_command_of_kitty) {
  BOOST_TEST(terminal_picture(PictureProtocol::Kitty, "png", 10, 10) ==
             "\x1b_Ga=T,f=100,q=2,r=5,m=0;cG5n\x1b\\\n");
  // A wide one is limited by its columns.
  BOOST_TEST(terminal_picture(PictureProtocol::Kitty, "png", 500, 100) ==
             "\x1b_Ga=T,f=100,q=2,c=40,m=0;cG5n\x1b\\\n");
}

BOOST_AUTO_TEST_CASE(a_large_picture_is_cut_into_commands_of_4096_characters_that_give_it_back) {
  for (const size_t size : {3071u, 3072u, 3073u, 20'000u}) {
    const std::string png = random_bytes(size);
    std::string shown = terminal_picture(PictureProtocol::Kitty, png, 10, 10);
    BOOST_REQUIRE(shown.ends_with("\n"));
    shown.pop_back();
    std::string content;
    while (!shown.empty()) {
      BOOST_REQUIRE(shown.starts_with("\x1b_G"));
      const size_t end = shown.find("\x1b\\");
      const size_t start = shown.find(';');
      BOOST_REQUIRE((start < end && end != std::string::npos));
      BOOST_TEST(end - start - 1 <= 4096u);
      const bool is_last = end + 2 == shown.size();
      BOOST_TEST(shown.substr(start - 3, 3) == (is_last ? "m=0" : "m=1"));
      content += shown.substr(start + 1, end - start - 1);
      shown.erase(0, end + 2);
    }
    BOOST_TEST((from_base64(content) == png));
  }
}

BOOST_AUTO_TEST_CASE(iterm_gets_the_file_with_its_size) {
  BOOST_TEST(terminal_picture(PictureProtocol::Iterm, "png", 10, 10) ==
             "\x1b]1337;File=inline=1;size=3;width=40;height=5;preserveAspectRatio=1:cG5n\x07\n");
  BOOST_TEST(terminal_picture(PictureProtocol::None, "png", 10, 10) == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
