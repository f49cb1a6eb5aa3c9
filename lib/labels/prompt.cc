// Tested by tests/labels/prompt_test.cc.

#include "lib/labels/prompt.h"

#include <utility>

#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr char kPicture = '@';
constexpr char kEscape = '\\';

// Whether it would be something else than this text.
bool has_sign(std::string_view text) {
  return is_veto(text) || text.starts_with(kPicture);
}

}  // namespace

bool is_veto(std::string_view written) {
  return written.starts_with('-') && written.size() > 1 && trimmed(written.substr(1, 1)).empty() &&
         !trimmed(written.substr(1)).empty();
}

std::string_view without_veto_sign(std::string_view written) {
  return is_veto(written) ? trimmed(written.substr(1)) : written;
}

Prompt parse_prompt(std::string_view written) {
  std::string_view rest = without_veto_sign(written);
  if (rest.starts_with(kPicture))
    return {is_veto(written), std::string(trimmed(rest.substr(1))), Prompt::Kind::Picture};
  const bool is_escaped = rest.starts_with(kEscape) &&
                          (has_sign(rest.substr(1)) || rest.substr(1).starts_with(kEscape));
  if (is_escaped) rest.remove_prefix(1);
  return {is_veto(written), std::string(rest)};
}

std::string written_prompt(const Prompt& prompt) {
  return (prompt.is_veto ? "- " : "") + (prompt.kind == Prompt::Kind::Picture
                                             ? kPicture + prompt.value
                                             : as_text_prompt(prompt.value));
}

std::string as_text_prompt(std::string text) {
  if (parse_prompt(text) == Prompt{false, text}) return text;
  return kEscape + std::move(text);
}

}  // namespace zeroshelf
