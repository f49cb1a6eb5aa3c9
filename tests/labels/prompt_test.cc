#include "lib/labels/prompt.h"

#include <boost/test/unit_test.hpp>

namespace zeroshelf {
namespace {

Prompt text(const std::string& value) {
  return {false, value};
}
Prompt veto(const std::string& value) {
  return {true, value};
}

BOOST_AUTO_TEST_SUITE(prompt)

BOOST_AUTO_TEST_CASE(a_minus_and_white_space_begin_a_veto_and_nothing_else_does) {
  BOOST_TEST((parse_prompt("- a statue") == veto("a statue")));
  BOOST_TEST((parse_prompt("-\t a statue ") == veto("a statue")));
  BOOST_TEST((parse_prompt("- - a statue") == veto("- a statue")));
  for (const char* plain :
       {"a statue", "-", "- ", "--", "-5 degrees", " - a statue", "", "\\", "\\n", "a - b"})
    BOOST_TEST((parse_prompt(plain) == text(plain)), plain);
}

BOOST_AUTO_TEST_CASE(a_backslash_takes_the_meaning_from_a_sign) {
  BOOST_TEST((parse_prompt("\\- 5 degrees") == text("- 5 degrees")));
  BOOST_TEST((parse_prompt("- \\- 5 degrees") == veto("- 5 degrees")));
  BOOST_TEST((parse_prompt("\\\\- 5") == text("\\- 5")));
}

BOOST_AUTO_TEST_CASE(an_at_begins_a_picture) {
  const auto picture = [](bool is_veto, const std::string& value) {
    return Prompt{is_veto, value, Prompt::Kind::Picture};
  };
  BOOST_TEST((parse_prompt("@cats/1.jpg") == picture(false, "cats/1.jpg")));
  BOOST_TEST((parse_prompt("@ cats/") == picture(false, "cats/")));
  BOOST_TEST((parse_prompt("- @cats/") == picture(true, "cats/")));
  BOOST_TEST((parse_prompt("@") == picture(false, "")));
  BOOST_TEST((parse_prompt("\\@home") == text("@home")));
  BOOST_TEST((parse_prompt("- \\@home") == veto("@home")));
  BOOST_TEST((parse_prompt("cat @home") == text("cat @home")));
  for (const Prompt& any :
       {picture(false, "a b.jpg"), picture(true, "/x/"), text("@x"), veto("@x"), veto("- x")})
    BOOST_TEST((parse_prompt(written_prompt(any)) == any));
}

BOOST_AUTO_TEST_CASE(every_text_can_be_written) {
  for (const char* any : {"a statue", "- a statue", "\\- a statue", "\\\\", "\\", "", "-", "- - x",
                          "@", "@x", "\\@x"})
    BOOST_TEST((parse_prompt(as_text_prompt(any)) == text(any)), any);
  BOOST_TEST(as_text_prompt("a statue") == "a statue");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
