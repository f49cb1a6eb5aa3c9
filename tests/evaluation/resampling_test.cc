// Intervals against the normal distribution, p-values against the binomial one.

#include "lib/evaluation/resampling.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "lib/util/random.h"

namespace zeroshelf {
namespace {

const auto kClose = boost::test_tools::tolerance(1e-9);

std::vector<double> shares(size_t good, size_t all) {
  std::vector<double> values(all);
  std::fill_n(values.begin(), good, 1.0);
  return values;
}

BOOST_AUTO_TEST_SUITE(resampling)

// For a mean of n independent trials the interval is about 1.96 sqrt(p (1 - p) / n) to either side.
BOOST_AUTO_TEST_CASE(the_bootstrap_gives_the_interval_of_the_normal_distribution) {
  const Interval interval = mean_interval(shares(320, 400), {.resamples = 4000});
  BOOST_TEST(std::abs(interval.low - (0.8 - 0.0392)) < 0.006);
  BOOST_TEST(std::abs(interval.high - (0.8 + 0.0392)) < 0.006);
}

BOOST_AUTO_TEST_CASE(threads_change_nothing_and_the_seed_does) {
  const std::vector<double> values = shares(37, 90);
  const Interval one = mean_interval(values, {.seed = 3, .threads = 1});
  const Interval three = mean_interval(values, {.seed = 3, .threads = 3});
  BOOST_TEST(one.low == three.low);
  BOOST_TEST(one.high == three.high);
  const auto sum = [&](std::span<const uint32_t> drawn, std::span<double> figures) {
    figures[0] = 0;
    for (const uint32_t place : drawn) figures[0] += std::sqrt(place);
  };
  BOOST_TEST(bootstrap_intervals(90, 1, sum, {.seed = 3})[0].low !=
             bootstrap_intervals(90, 1, sum, {.seed = 4})[0].low);
}

BOOST_AUTO_TEST_CASE(one_item_has_an_interval_of_no_width) {
  const Interval interval = mean_interval(std::vector<double>{0.25}, {});
  BOOST_TEST(interval.low == 0.25);
  BOOST_TEST(interval.high == 0.25);
}

// Two figures that move together: each is uncertain, their difference is not.
BOOST_AUTO_TEST_CASE(a_difference_is_paired) {
  Random random(5);
  std::vector<double> first(300);
  for (double& value : first) value = random.uniform();
  const auto statistic = [&](std::span<const uint32_t> drawn, std::span<double> figures) {
    double sum = 0;
    for (const uint32_t place : drawn) sum += first[place];
    figures[0] = sum / 300;
    figures[1] = sum / 300 + 0.01 - figures[0];
  };
  const std::vector<Interval> intervals = bootstrap_intervals(300, 2, statistic, {});
  BOOST_TEST(intervals[0].high - intervals[0].low > 0.05);
  BOOST_TEST(intervals[1].low == 0.01, kClose);
  BOOST_TEST(intervals[1].high == 0.01, kClose);
}

// 2 * (C(10,0) + C(10,1) + C(10,2)) / 2^10 = 112 / 1024; 2 / 2^6.
BOOST_AUTO_TEST_CASE(mcnemar_is_the_exact_binomial_test) {
  BOOST_TEST(mcnemar_p_value(8, 2) == 112.0 / 1024, kClose);
  BOOST_TEST(mcnemar_p_value(2, 8) == 112.0 / 1024, kClose);
  BOOST_TEST(mcnemar_p_value(6, 0) == 2.0 / 64, kClose);
  BOOST_TEST(mcnemar_p_value(0, 0) == 1.0, kClose);
  BOOST_TEST(mcnemar_p_value(5, 5) == 1.0, kClose);
  BOOST_TEST(mcnemar_p_value(40'000, 60'000) < 1e-12);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
