#include "lib/xmp/keyword_path.h"

#include <boost/test/unit_test.hpp>

#include "lib/util/error.h"

namespace zeroshelf {
namespace {

BOOST_AUTO_TEST_SUITE(keyword_path)

BOOST_AUTO_TEST_CASE(slashes_nest) {
  BOOST_TEST((parse_keyword("animal/bird", "") == KeywordPath{"animal", "bird"}));
  BOOST_TEST((parse_keyword(" /animal // big bird/ ", "") == KeywordPath{"animal", "big bird"}));
  BOOST_TEST(with_slashes({"a", "b"}) == "a/b");
  BOOST_TEST(with_bars({"a|x", "b"}) == "a_x|b");
  BOOST_TEST(is_below({"a", "b"}, {"a"}));
  BOOST_TEST(!is_below({"a"}, {"a"}));
  BOOST_TEST(!is_below({"ab", "c"}, {"a"}));
}

BOOST_AUTO_TEST_CASE(a_slash_that_is_a_letter_parts_nothing) {
  BOOST_TEST((keyword_of_levels({"music", "AC/DC"}, "") == KeywordPath{"music", "AC\u2215DC"}));
  BOOST_TEST((keyword_of_levels({"a"}, "") == KeywordPath{"a"}));
  BOOST_CHECK_THROW(keyword_of_levels({"a\nb"}, ""), Error);
}

BOOST_AUTO_TEST_CASE(what_can_be_no_keyword_is_refused_by_name) {
  for (const std::string& text :
       {std::string(), std::string("/ /"), std::string("a\nb"), std::string("a\0b", 3),
        std::string("\xff"), std::string(5000, 'x')}) {
    BOOST_CHECK_EXCEPTION(parse_keyword(text, "--root"), Error, [](const Error& error) {
      return error.code() == ErrorCode::InvalidArgument && error.subject() == "--root";
    });
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
