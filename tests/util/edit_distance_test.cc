#include "lib/util/edit_distance.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>
#include <string>

namespace zeroshelf {
namespace {

// Optimal string alignment, by its definition.
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

BOOST_AUTO_TEST_SUITE(edit_distances)

BOOST_AUTO_TEST_CASE(it_equals_its_definition) {
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

BOOST_AUTO_TEST_CASE(long_words_are_compared_like_short_ones) {
  const std::u32string word(300, U'x');
  std::u32string other = word;
  other[0] = U'y';
  other.erase(150, 1);
  BOOST_TEST(edit_distance(word, other, 400) == 2);
  BOOST_TEST(edit_distance(other, word, 400) == 2);
  BOOST_TEST(edit_distance(word, other, 1) == 2);
  BOOST_TEST(edit_distance(word, std::u32string(40, U'z'), 400) == 300);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
