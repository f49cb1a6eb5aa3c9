#include "lib/lexicon/tokens.h"

#include <boost/test/unit_test.hpp>
#include <random>

namespace zeroshelf {
namespace {

using Terms = std::vector<std::string>;

// Of optimal string alignment, by its definition.
int plain_distance(std::u32string_view a, std::u32string_view b) {
  if (a.empty() || b.empty()) return static_cast<int>(a.size() + b.size());
  const auto rest = [](std::u32string_view text, size_t n = 1) { return text.substr(n); };
  if (a[0] == b[0]) return plain_distance(rest(a), rest(b));
  int best = std::min(
      {plain_distance(rest(a), b), plain_distance(a, rest(b)), plain_distance(rest(a), rest(b))});
  if (a.size() > 1 && b.size() > 1 && a[0] == b[1] && a[1] == b[0])
    best = std::min(best, plain_distance(rest(a, 2), rest(b, 2)));
  return best + 1;
}

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

BOOST_AUTO_TEST_CASE(edit_distance_equals_its_definition) {
  std::mt19937 random(3);
  for (int i = 0; i < 3000; ++i) {
    const auto word = [&] {
      std::u32string text(random() % 6, U'a');
      for (char32_t& letter : text) letter += random() % 3;
      return text;
    };
    const std::u32string a = word();
    const std::u32string b = word();
    for (const int limit : {0, 1, 2, 9})
      BOOST_TEST(edit_distance(a, b, limit) == std::min(plain_distance(a, b), limit + 1));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
