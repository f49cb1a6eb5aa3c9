#include "lib/vectors/near_pairs.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>
#include <set>

#include "lib/util/matrix.h"

namespace zeroshelf {
namespace {

constexpr uint32_t kDimension = 32;

// Rows in a cone, as embeddings are; every fourth is another one with a little noise.
VectorRows rows_with_twins(std::mt19937& random, size_t count) {
  std::normal_distribution<float> normal;
  VectorRows rows(kDimension);
  std::vector<float> last(kDimension);
  std::vector<uint16_t> halves(kDimension);
  for (size_t i = 0; i < count; ++i) {
    std::vector<float> vector(kDimension);
    for (size_t j = 0; j < kDimension; ++j)
      vector[j] = i % 4 == 3 ? last[j] + 0.02f * normal(random) : normal(random) + 1;
    normalise(vector);
    if (i % 4 == 1) last = vector;
    to_fp16(vector, halves);
    rows.append(halves);
  }
  return rows;
}

float cosine(const VectorRows& rows, Row a, Row b) {
  std::vector<float> x(kDimension);
  std::vector<float> y(kDimension);
  from_fp16(rows.row(a), x);
  from_fp16(rows.row(b), y);
  float sum = 0;
  for (size_t i = 0; i < kDimension; ++i) sum += x[i] * y[i];
  return sum;
}

BOOST_AUTO_TEST_SUITE(near)

BOOST_AUTO_TEST_CASE(nearly_all_pairs_are_found_and_no_others) {
  std::mt19937 random(9);
  const VectorRows rows = rows_with_twins(random, 3000);
  const auto keep = [](Row row) { return row % 11 != 0; };
  std::set<std::pair<Row, Row>> expected;
  for (Row a = 0; a < rows.size(); ++a) {
    for (Row b = a + 1; b < rows.size(); ++b) {
      if (keep(a) && keep(b) && cosine(rows, a, b) >= 0.98f) expected.emplace(a, b);
    }
  }
  BOOST_REQUIRE(expected.size() > 500);
  const auto pairs = near_pairs(rows, keep, 0.98f);
  size_t right = 0;
  for (const NearPair& pair : pairs) {
    BOOST_TEST(pair.cosine >= 0.98f);
    BOOST_TEST((keep(pair.first) && keep(pair.second) && pair.first < pair.second));
    right += expected.contains({pair.first, pair.second});
  }
  BOOST_TEST(pairs.size() <= expected.size() + 2);  // rounding at the border
  BOOST_TEST(static_cast<double>(right) >= 0.99 * static_cast<double>(expected.size()));
  BOOST_TEST((near_pairs(rows, keep, 0.98f, 1) == near_pairs(rows, keep, 0.98f, 3)));
}

BOOST_AUTO_TEST_CASE(a_burst_of_equal_rows_is_joined_without_all_of_its_pairs) {
  VectorRows rows(kDimension);
  std::vector<uint16_t> halves(kDimension);
  std::vector<float> vector(kDimension, 1);
  normalise(vector);
  to_fp16(vector, halves);
  for (int i = 0; i < 2000; ++i) rows.append(halves);
  const auto pairs = near_pairs(
      rows, [](Row) { return true; }, 0.9f);
  std::set<Row> joined = {0};
  for (const NearPair& pair : pairs) {
    if (joined.contains(pair.first)) joined.insert(pair.second);
  }
  BOOST_TEST(joined.size() == 2000u);
  BOOST_TEST(pairs.size() < 100'000u);
}

BOOST_AUTO_TEST_CASE(no_rows_have_no_pairs) {
  BOOST_TEST(near_pairs(
                 VectorRows(kDimension), [](Row) { return true; }, 0.9f)
                 .empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
