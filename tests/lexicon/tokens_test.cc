#include "lib/lexicon/tokens.h"

#include <boost/test/unit_test.hpp>

#include "lib/util/text.h"

namespace zeroshelf {
namespace {

using Terms = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(tokens)

BOOST_AUTO_TEST_CASE(terms_are_folded_and_split_at_what_is_no_letter) {
  BOOST_TEST((terms_of("Don't STOP, me-now!") == Terms{"dont", "stop", "me", "now"}));
  BOOST_TEST(
      (terms_of("Façade ﬁre STRASSE straße") == Terms{"facade", "fire", "strasse", "strasse"}));
  BOOST_TEST((terms_of("İstanbul ＦＵＬＬ ２０") == Terms{"istanbul", "full", "20"}));
  BOOST_TEST((terms_of("猫です") == Terms{"猫", "て", "す"}));
  BOOST_TEST((terms_of("a\xff"
                       "b") == Terms{"a", "b"}));
  BOOST_TEST(terms_of(" .,- ").empty());
  BOOST_TEST(code_points(terms_of(std::string(1000, 'x')).at(0)).size() == kMaxTermLength);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
