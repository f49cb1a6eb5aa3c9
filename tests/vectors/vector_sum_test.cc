#include "lib/vectors/vector_sum.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <random>

#include "lib/vectors/vector_rows.h"

namespace zeroshelf {
namespace {

BOOST_AUTO_TEST_SUITE(vector_sum)

BOOST_AUTO_TEST_CASE(the_mean_is_exact_and_forgets_what_was_taken_off) {
  constexpr uint32_t kDimension = 31;
  std::mt19937 random(4);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<std::vector<uint16_t>> rows(1000, std::vector<uint16_t>(kDimension));
  std::vector<double> expected(kDimension);
  VectorSum sum(kDimension);
  for (size_t i = 0; i < rows.size(); ++i) {
    std::vector<float> values(kDimension);
    for (float& value : values) value = uniform(random) / (i % 7 == 0 ? 100'000.0f : 1.0f);
    to_fp16(values, rows[i]);
    from_fp16(rows[i], values);
    if (i % 2 == 0) {
      for (size_t j = 0; j < kDimension; ++j) expected[j] += static_cast<double>(values[j]) / 500;
    }
    sum.add(rows[i]);
  }
  for (size_t i = rows.size() - 1; i < rows.size(); i -= 2) sum.subtract(rows[i]);
  BOOST_TEST(sum.count() == 500u);
  for (size_t j = 0; j < kDimension; ++j) BOOST_TEST(std::abs(sum.mean()[j] - expected[j]) < 1e-7);

  VectorSum other(kDimension);  // in another order
  for (size_t i = 998; i < rows.size(); i -= 2) other.add(rows[i]);
  BOOST_TEST((sum == other));
}

BOOST_AUTO_TEST_CASE(nothing_has_a_mean_of_zero_and_no_numbers_count_as_zero) {
  VectorSum sum(2);
  BOOST_TEST((sum.mean() == std::vector<float>{0, 0}));
  sum.add(std::vector<uint16_t>{0x7c00, 0xfe01});  // infinity, NaN
  sum.add(std::vector<uint16_t>{0xbc00, 0x0001});  // -1, 2^-24
  BOOST_TEST((sum.mean() == std::vector<float>{-0.5f, 0x1p-25f}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
