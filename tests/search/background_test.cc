// What chance would give, and prompts that are kept by who made them.

#include "lib/search/background.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>
#include <set>
#include <string>

#include "tests/search/collected.h"

namespace zeroshelf {
namespace {

using testing::Collected;

BOOST_FIXTURE_TEST_SUITE(backgrounds, Collected)

BOOST_AUTO_TEST_CASE(a_cosine_is_chance_up_to_what_the_best_of_so_many_would_have) {
  std::normal_distribution<float> normal(0.2f, 0.02f);
  std::vector<float> pairs(400'000);
  for (float& pair : pairs) pair = normal(random);
  std::vector<float> sorted = pairs;
  std::sort(sorted.begin(), sorted.end());
  const float thousandth = sorted[sorted.size() - sorted.size() / 1000];
  // n Q(z) = 0.01: z = 2.326 of one, 2.878 of five.
  BOOST_TEST(std::abs(chance_cosine(pairs, 1) - (0.2f + 0.02f * 2.326f)) < 5e-4f);
  BOOST_TEST(std::abs(chance_cosine(pairs, 5) - (0.2f + 0.02f * 2.878f)) < 5e-4f);
  // Pairs that hardly stand out set the limit, however many vectors there are.
  BOOST_TEST(std::abs(chance_cosine(pairs, 1'000'000) - thousandth) < 5e-4f);
  // Pairs that stand out leave it where chance has it: with 441 vectors and more.
  for (size_t i = 0; i < pairs.size() / 100; ++i) pairs[i * 100] = 0.6f;
  const float most = chance_cosine(pairs, 441);
  BOOST_TEST(std::abs(most - (0.2f + 0.02f * 4.08f)) < 2e-3f);
  BOOST_TEST(chance_cosine(pairs, 1'000'000) == most);
  BOOST_TEST(chance_cosine({}, 100) == -1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
