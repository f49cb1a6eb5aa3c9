#include "lib/util/suggest.h"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace zeroshelf {
namespace {

BOOST_AUTO_TEST_SUITE(suggest)

BOOST_AUTO_TEST_CASE(edits_are_counted_in_characters) {
  const auto is_meant = [](const std::string& written, const std::string& name) {
    return nearest_name(written, std::vector<std::string>{name}).has_value();
  };
  BOOST_TEST(is_meant("cat", "cart"));
  BOOST_TEST(is_meant("cart", "cat"));
  BOOST_TEST(is_meant("cat", "cut"));
  BOOST_TEST(is_meant("cat", "act"));
  BOOST_TEST(is_meant("schön", "schon"));
  BOOST_TEST(is_meant("äöü", "äöx"));  // two bytes, one character
  BOOST_TEST(!is_meant("cat", "dog"));
}

BOOST_AUTO_TEST_CASE(a_slip_finds_the_name_that_was_meant) {
  const std::vector<std::string> names = {"search", "classify", "export", "Animal Crossing"};
  BOOST_TEST(*nearest_name("serach", names) == "search");
  BOOST_TEST(*nearest_name("clasify", names) == "classify");
  BOOST_TEST(*nearest_name("EXPORT", names) == "export");
  BOOST_TEST(*nearest_name("animal crosing", names) == "Animal Crossing");
  BOOST_TEST(did_you_mean("exprot", names) == "; did you mean 'export'?");
}

BOOST_AUTO_TEST_CASE(what_is_far_from_every_name_finds_none) {
  const std::vector<std::string> names = {"search", "cat", "x"};
  for (const std::string written : {"dance", "", "q", "dog"})
    BOOST_TEST(!nearest_name(written, names).has_value());
  BOOST_TEST(!nearest_name(std::string(100'000, 's'), names).has_value());
  BOOST_TEST(did_you_mean("dance", names) == "");
  BOOST_TEST(did_you_mean("dance", {}) == "");
}

BOOST_AUTO_TEST_CASE(the_nearest_wins_and_the_first_of_equals) {
  const std::vector<std::string> names = {"boat", "coat", "coats"};
  BOOST_TEST(*nearest_name("coats", names) == "coats");
  BOOST_TEST(*nearest_name("goat", names) == "boat");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
