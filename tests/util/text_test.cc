#include <boost/test/unit_test.hpp>

#include <cmath>
#include <vector>

#include "lib/util/error.h"
#include "lib/util/matrix.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

using namespace std::string_literals;

BOOST_AUTO_TEST_SUITE(text)

BOOST_AUTO_TEST_CASE(printable_shows_what_would_harm_a_terminal) {
  BOOST_TEST(printable("a\x1b[31mb\nc") == "a\\x1b[31mb\\nc");
  BOOST_TEST(printable("x\xff") == "x\\xff");
  BOOST_TEST(printable("\xe2\x80\xae"
                       "gpj") == "\\u202egpj");  // right-to-left override
  BOOST_TEST(printable("\xc2\x9b"
                       "1m") == "\\u009b1m");  // C1 control sequence introducer
  BOOST_TEST(printable("naïve 日本") == "naïve 日本");
}

BOOST_AUTO_TEST_CASE(an_error_about_nothing_shows_that_it_is_nothing) {
  BOOST_TEST(Error(ErrorCode::NotFound, "", "no such file").what() == "'': no such file"s);
  BOOST_TEST(Error(ErrorCode::NotFound, "a", "no such file", "name one").what() ==
             "a: no such file; name one"s);
}

BOOST_AUTO_TEST_CASE(legible_replaces_what_ends_hides_or_reorders) {
  const std::string mark = "\xef\xbf\xbd";
  BOOST_TEST(legible("a\nb\tc\x1b") == "a" + mark + "b" + mark + "c" + mark);
  BOOST_TEST(legible(std::string("a\0b", 3)) == "a" + mark + "b");
  BOOST_TEST(legible("x\xffy\xc3") == "x" + mark + "y" + mark);
  BOOST_TEST(legible("\u0085\u009b") == mark + mark);                            // C1
  BOOST_TEST(legible("\u202egpj.\u2066\u061c") == mark + "gpj." + mark + mark);  // direction
  BOOST_TEST(legible("\u2028\u2029\ufeff\u200b") == mark + mark + mark + mark);
  for (const std::string plain :
       {"naïve 日本 😀", "\u0645\u06cc\u200c\u0631\u0648\u062f", "\U0001F469\u200d\U0001F680"}) {
    BOOST_TEST(legible(plain) == plain);
  }
}

BOOST_AUTO_TEST_CASE(bytes_that_are_not_utf8_are_told_apart_and_replaced) {
  BOOST_TEST(is_utf8("straße"));
  BOOST_TEST(!is_utf8("\xc3"));
  BOOST_TEST(!is_utf8("\xed\xa0\x80"));  // a surrogate
  BOOST_TEST(to_utf8("a\xc3z") == "a\xef\xbf\xbdz");
}

BOOST_AUTO_TEST_CASE(base64_pads) {
  BOOST_TEST(base64("") == "");
  BOOST_TEST(base64("f") == "Zg==");
  BOOST_TEST(base64("fo") == "Zm8=");
  BOOST_TEST(base64("foobar") == "Zm9vYmFy");
}

BOOST_AUTO_TEST_CASE(numbers_and_widths) {
  BOOST_TEST(with_thousands(0) == "0");
  BOOST_TEST(with_thousands(1234567) == "1,234,567");
  BOOST_TEST(display_width("日本x") == 5);
  BOOST_TEST(fitted("abcdef", 4) == "abc…");
  BOOST_TEST(fitted("abc", 3) == "abc");
  BOOST_TEST(trimmed("  a b\n") == "a b");
  BOOST_TEST(trimmed(" \t") == "");
}

BOOST_AUTO_TEST_CASE(the_first_few_of_many_are_named) {
  const std::vector<std::string> all = {"a", "b", "c"};
  BOOST_TEST(first_few({}, 2) == "");
  BOOST_TEST(first_few(all, 3) == "a, b, c");
  BOOST_TEST(first_few(all, 2) == "a, b and 1 more");
  BOOST_TEST(first_few(std::vector<std::string>(1236, "a"), 2) == "a, a and 1,234 more");
}

BOOST_AUTO_TEST_CASE(error_reads_subject_cause_cure) {
  const Error error(ErrorCode::NotFound, "/a\nb", "no such file", "check the path");
  BOOST_TEST(std::string(error.what()) == "/a\\nb: no such file; check the path");
}

BOOST_AUTO_TEST_CASE(normalise_gives_unit_length_and_leaves_zero) {
  std::vector<float> vector = {3, 4};
  normalise(vector);
  BOOST_TEST(std::abs(vector[0] - 0.6f) < 1e-7f);
  std::vector<float> zero = {0, 0};
  normalise(zero);
  BOOST_TEST(zero[0] == 0.0f);
}

BOOST_AUTO_TEST_CASE(base64_is_turned_back) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    BOOST_TEST(*from_base64(base64(bytes)) == bytes);
    bytes += static_cast<char>(i * 37);
  }
  for (const std::string text : {"a", "ab=", "====", "a===", "ab\n=", "a=bc", "ab!d"})
    BOOST_TEST(!from_base64(text).has_value(), text);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
