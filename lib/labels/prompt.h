#pragma once

// One prompt of a label, as people write it:
//
//   a photo of a cat          a text
//   @cats/1.jpg, @cats/       a picture, or the pictures of a folder
//   - a statue, - @toys/      a veto, of a text or of pictures: what the label is not
//   \- 5 degrees, \@home      a text that begins with such a sign
//
// Labels keep their prompts as they are written, so whatever keeps labels keeps all of them.

#include <compare>
#include <string>
#include <string_view>

namespace zeroshelf {

struct Prompt {
  enum class Kind { Text, Picture };

  bool is_veto = false;
  std::string value;  // the text, or what stands behind the '@'
  Kind kind = Kind::Text;

  auto operator<=>(const Prompt&) const = default;
};

Prompt parse_prompt(std::string_view written);
// And back, so that it reads as this prompt.
std::string written_prompt(const Prompt& prompt);
// What is written for this text, whatever it begins with.
std::string as_text_prompt(std::string text);

// '-' and white space before something else.
bool is_veto(std::string_view written);

// What people read of a veto, without its sign.
std::string_view without_veto_sign(std::string_view written);

}  // namespace zeroshelf
