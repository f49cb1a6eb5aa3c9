// What chance would give, and prompts that are kept by who made them.

#include "lib/search/background.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>
#include <set>
#include <string>

#include "tests/search/collected.h"

namespace zeroshelf {
namespace {

using testing::Collected;
using testing::kCollectedDimension;
using testing::random_unit;

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

BOOST_AUTO_TEST_CASE(a_z_score_is_high_for_what_a_text_describes_alone) {
  const View collection = open();
  const ViewVectors pictures = ViewVectors::pictures(collection);
  Matrix prompts(200, kCollectedDimension);
  for (size_t i = 0; i < prompts.rows(); ++i)
    std::ranges::copy(random_unit(random), prompts.row(i).begin());
  std::vector<float> own(kCollectedDimension);
  from_fp16(pictures.row(101), own);
  const Background background(pictures, prompts, own);
  BOOST_TEST(background.z_score(101) > 4);
  double sum = 0;
  double squares = 0;
  for (Row row = 0; row < 900; ++row) {
    const double z = background.z_score(row);
    sum += z;
    squares += z * z;
  }
  BOOST_TEST(std::abs(sum / 900) < 0.2);
  BOOST_TEST(std::abs(std::sqrt(squares / 900) - 1) < 0.2);
}

// Prompts at a distance of 1 from their mean, and a query at others.
BOOST_AUTO_TEST_CASE(what_is_more_particular_than_the_prompts_must_fit_better) {
  const View collection = open();
  const ViewVectors pictures = ViewVectors::pictures(collection);
  Matrix prompts(2 * kCollectedDimension, kCollectedDimension);
  for (size_t i = 0; i < prompts.rows(); ++i) prompts.row(i)[i / 2] = i % 2 == 0 ? 1.0f : -1.0f;
  const auto demand = [&](float distance) {
    std::vector<float> query(kCollectedDimension);
    query[3] = distance;
    return Background(pictures, prompts, query).demand();
  };
  BOOST_TEST(std::abs(demand(1) - 1) < 1e-5f);
  BOOST_TEST(std::abs(demand(1.21f) - 1.1f) < 1e-5f);
  BOOST_TEST(std::abs(demand(0.81f) - 0.9f) < 1e-5f);
  BOOST_TEST(std::abs(demand(9) - std::sqrt(1.5f)) < 1e-5f);
  BOOST_TEST(std::abs(demand(0.1f) - std::sqrt(0.75f)) < 1e-5f);
}

// Pictures that are near to every text do not fit one any better for that, nor do texts that are
// near to every picture.
BOOST_AUTO_TEST_CASE(what_all_texts_share_and_what_all_pictures_share_changes_no_z_score) {
  const View collection = open();
  const ViewVectors pictures = ViewVectors::pictures(collection);
  Matrix prompts(100, kCollectedDimension);
  for (size_t i = 0; i < prompts.rows(); ++i)
    std::ranges::copy(random_unit(random), prompts.row(i).begin());
  std::vector<float> query = random_unit(random);
  const Background plain(pictures, prompts, query);
  std::vector<float> shared = random_unit(random);
  const auto shift = [&](std::span<float> text) {
    for (size_t k = 0; k < text.size(); ++k) text[k] += 3 * shared[k];
  };
  for (size_t i = 0; i < prompts.rows(); ++i) shift(prompts.row(i));
  shift(query);
  const Background shifted(pictures, prompts, query);
  for (const Row row : {1u, 101u, 500u})
    BOOST_TEST(std::abs(plain.z_score(row) - shifted.z_score(row)) < 1e-3f);
}

BOOST_AUTO_TEST_CASE(one_prompt_and_prompts_that_are_all_the_same_give_a_number) {
  const View collection = open();
  const ViewVectors pictures = ViewVectors::pictures(collection);
  const std::vector<float> query = random_unit(random);
  const std::vector<float> prompt = random_unit(random);
  for (const size_t count : {1, 5}) {
    Matrix prompts(count, kCollectedDimension);
    for (size_t i = 0; i < count; ++i) std::ranges::copy(prompt, prompts.row(i).begin());
    BOOST_TEST(std::isfinite(Background(pictures, prompts, query).z_score(1)));
    BOOST_TEST(std::isfinite(Background(pictures, prompts, query).demand()));
    BOOST_TEST(std::isfinite(Background(pictures, prompts, prompt).z_score(1)));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
