#include "lib/report/formats.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <string>

namespace zeroshelf {
namespace {

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string csv(std::string_view text) {
  std::string out;
  append_csv_cell(out, text);
  return out;
}

BOOST_AUTO_TEST_SUITE(formats)

BOOST_AUTO_TEST_CASE(json_strings_read_back_as_they_were) {
  for (const std::string text : {"", "plain", "quote\" back\\slash", "line\nreturn\rtab\t\x01\x7f",
                                 "naïve 日本 😀", "\u2028 and \u2029"}) {
    const std::string line = json_string(text);
    BOOST_TEST(line.find('\n') == std::string::npos);
    BOOST_TEST(nlohmann::json::parse(line).get<std::string>() == text);
  }
}

BOOST_AUTO_TEST_CASE(a_path_that_is_not_utf8_keeps_its_bytes_beside_the_text) {
  std::string out = "{";
  append_json_path(out, "/a\xff.jpg");
  const auto json = nlohmann::json::parse(out + "}");
  BOOST_TEST(json["path"] == "/a\xef\xbf\xbd.jpg");
  BOOST_TEST(json["path_base64"] == "L2H/LmpwZw==");
  std::string plain = "{";
  append_json_path(plain, "/a.jpg");
  BOOST_TEST(!nlohmann::json::parse(plain + "}").contains("path_base64"));
}

BOOST_AUTO_TEST_CASE(csv_cells_are_quoted_and_never_formulas) {
  BOOST_TEST(csv("plain") == "plain");
  BOOST_TEST(csv("a,b") == "\"a,b\"");
  BOOST_TEST(csv("say \"hi\"") == "\"say \"\"hi\"\"\"");
  BOOST_TEST(csv("two\nlines") == "\"two\nlines\"");
  BOOST_TEST(csv("=1+1") == "'=1+1");
  BOOST_TEST(csv("@cmd,x") == "\"'@cmd,x\"");
}

BOOST_AUTO_TEST_CASE(html_text_is_never_markup) {
  const auto html = [](std::string_view text) {
    std::string out;
    append_html(out, text);
    return out;
  };
  BOOST_TEST(html("</script><script>x()</script>") ==
             "&lt;/script&gt;&lt;script&gt;x()&lt;/script&gt;");
  BOOST_TEST(html("\" onload='x' &amp;") == "&quot; onload=&#39;x&#39; &amp;amp;");
  BOOST_TEST(html("a\x01\xff\u202e\n") == "a\ufffd\ufffd\ufffd\ufffd");
  BOOST_TEST(html("naïve 日本") == "naïve 日本");
}

BOOST_AUTO_TEST_CASE(table_cells_have_their_width_and_no_control_characters) {
  BOOST_TEST(table_cell("ab", 4) == "ab  ");
  BOOST_TEST(table_cell("日本語", 4) == "日… ");
  BOOST_TEST(table_cell("\x1b[2J", 8) == "\\x1b[2J ");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
