// Every kernel of the softmax that this processor can run, against a plain loop in double.

#include "lib/fusion/softmax.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "lib/util/cpu.h"

namespace zeroshelf {
namespace {

struct NamedKernel {
  const char* name;
  kernel::Summarise summarise;
  kernel::Softmax softmax;
};

std::vector<NamedKernel> kernels() {
  std::vector<NamedKernel> result = {
      {"portable", kernel::summarise_portable, kernel::softmax_portable}};
#if defined(__x86_64__)
  if (instruction_set() != InstructionSet::Portable)
    result.push_back({"avx2", kernel::summarise_avx2, kernel::softmax_avx2});
  if (instruction_set() == InstructionSet::Avx512)
    result.push_back({"avx512", kernel::summarise_avx512, kernel::softmax_avx512});
#endif
  return result;
}

Summary summary_of(const NamedKernel& kernel, const LogitRow& row, size_t labels,
                   bool exponentials) {
  Summary summary;
  kernel.summarise(&row, 1, labels, exponentials, &summary);
  return summary;
}

Summary summary_of(const NamedKernel& kernel, const std::vector<float>& logits, bool exponentials) {
  return summary_of(kernel, {logits.data()}, logits.size(), exponentials);
}

void expect_plain(const std::vector<float>& a, float a_scale, const std::vector<float>& b,
                  float b_scale) {
  std::vector<double> logits;
  for (size_t k = 0; k < a.size(); ++k) {
    logits.push_back(static_cast<double>(a_scale) * a[k]);
    if (!b.empty()) logits[k] += static_cast<double>(b_scale) * b[k];
  }
  std::vector<double> sorted = logits;
  std::ranges::sort(sorted, std::greater());
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit - sorted[0]);
  // What a float's rounding does to a logit.
  const double slack = 3e-7 * (std::abs(a_scale) + std::abs(b_scale));
  for (const NamedKernel& kernel : kernels()) {
    BOOST_TEST_CONTEXT(kernel.name << " " << a.size() << " labels, scales " << a_scale << " "
                                   << b_scale) {
      const float* of_b = b.empty() ? nullptr : b.data();
      const LogitRow row = {a.data(), a_scale, of_b, b_scale};
      const Summary got = summary_of(kernel, row, a.size(), true);
      BOOST_REQUIRE(got.best < a.size());
      BOOST_TEST(std::abs(logits[got.best] - sorted[0]) <= slack);
      BOOST_TEST(std::abs(got.best_logit - sorted[0]) <= slack);
      if (a.size() > 1) {
        BOOST_REQUIRE(got.second < a.size());
        BOOST_TEST(got.second != got.best);
        BOOST_TEST(std::abs(logits[got.second] - sorted[1]) <= slack);
        BOOST_TEST(std::abs(got.second_logit - sorted[1]) <= slack);
        const double share = std::exp(sorted[1] - sorted[0]);
        if (share > 1e-36)
          BOOST_TEST(std::abs(got.second_share - share) <= (1e-5 + 2 * slack) * share);
        else
          BOOST_TEST(got.second_share < 1e-35f);
      } else {
        BOOST_TEST(got.second_share == 0);
      }
      BOOST_TEST(std::abs(static_cast<double>(got.sum) - sum) <= (1e-5 + 2 * slack) * sum);
      const Summary without = summary_of(kernel, row, a.size(), false);
      BOOST_TEST(without.best == got.best);
      BOOST_TEST(without.second == got.second);
      BOOST_TEST(without.sum == 1);
      BOOST_TEST(without.second_share == 0);
      std::vector<float> p(a.size() + 1, -7);
      kernel.softmax(a.data(), a_scale, of_b, b_scale, a.size(), got.best_logit, 1 / got.sum,
                     p.data());
      BOOST_TEST(p.back() == -7);  // nothing behind the end
      double worst = 0;
      for (size_t k = 0; k < a.size(); ++k) {
        const double expected = std::exp(logits[k] - sorted[0]) / sum;
        if (expected > 1e-36)
          worst = std::max(worst, std::abs(p[k] - expected) / expected);
        else
          BOOST_REQUIRE(p[k] < 1e-35f);
      }
      BOOST_TEST(worst <= 2e-5 + 4 * slack);
    }
  }
}

std::vector<float> random_cosines(size_t count, std::mt19937& random) {
  std::uniform_real_distribution<float> cosine(-1, 1);
  std::vector<float> values(count);
  for (float& value : values) value = cosine(random);
  return values;
}

BOOST_AUTO_TEST_SUITE(softmax_kernels)

BOOST_AUTO_TEST_CASE(random_logits_agree_with_a_plain_loop) {
  std::mt19937 random(3);
  for (const size_t labels :
       {1, 2, 3, 7, 8, 9, 10, 15, 16, 17, 31, 32, 33, 63, 64, 65, 255, 1000, 5000}) {
    const std::vector<float> a = random_cosines(labels, random);
    const std::vector<float> b = random_cosines(labels, random);
    for (const float scale : {0.0f, 1.0f, 100.0f}) {
      expect_plain(a, scale, {}, 0);
      expect_plain(a, scale, b, 30);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_row_has_the_same_bits_in_any_company) {
  std::mt19937 random(5);
  for (const size_t labels : {1, 2, 10, 16, 64, 65, 200}) {
    for (const size_t rows : {1, 2, 7, 8, 15, 16, 17, 33, 70}) {
      std::vector<std::vector<float>> values;
      std::vector<LogitRow> of_rows;
      for (size_t r = 0; r < 2 * rows; ++r) values.push_back(random_cosines(labels, random));
      for (size_t r = 0; r < rows; ++r) {
        const bool both = random() % 2 == 0;
        of_rows.push_back({values[2 * r].data(), static_cast<float>(1 + random() % 100),
                           both ? values[2 * r + 1].data() : nullptr,
                           static_cast<float>(random() % 50)});
      }
      for (const NamedKernel& kernel : kernels()) {
        std::vector<Summary> together(rows + 1);
        together.back().best = 12345;
        kernel.summarise(of_rows.data(), rows, labels, true, together.data());
        BOOST_TEST(together.back().best == 12345u);  // nothing behind the end
        for (size_t r = 0; r < rows; ++r) {
          const Summary alone = summary_of(kernel, of_rows[r], labels, true);
          BOOST_REQUIRE(together[r].best == alone.best);
          BOOST_REQUIRE(together[r].second == alone.second);
          BOOST_REQUIRE(together[r].best_logit == alone.best_logit);
          BOOST_REQUIRE(together[r].second_logit == alone.second_logit);
          BOOST_REQUIRE(together[r].sum == alone.sum);
          BOOST_REQUIRE(together[r].second_share == alone.second_share);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_exponential_is_right_over_its_whole_range) {
  std::vector<float> logits = {0};
  for (int i = 0; i < 4096; ++i) logits.push_back(-80.0f * static_cast<float>(i) / 4096);
  expect_plain(logits, 1, {}, 0);
  for (const float lower : {-1e-6f, -0.3f, -1.0f, -10.5f, -80.0f, -200.0f})
    expect_plain({lower, 0}, 1, {}, 0);
}

BOOST_AUTO_TEST_CASE(ties_go_to_the_first_wherever_they_lie) {
  for (const size_t labels : {2, 9, 16, 40, 66}) {
    for (size_t first = 0; first + 1 < labels; ++first) {
      for (size_t other = first + 1; other < labels; ++other) {
        std::vector<float> logits(labels, -1);
        logits[first] = logits[other] = 0.5f;
        for (const NamedKernel& kernel : kernels()) {
          const Summary got = summary_of(kernel, {logits.data(), 2}, labels, true);
          BOOST_REQUIRE(got.best == first);
          BOOST_REQUIRE(got.second == other);
          BOOST_REQUIRE(got.second_logit == 1);
          BOOST_REQUIRE(got.second_share == 1);
        }
      }
    }
    const std::vector<float> equal(labels, 0.25f);
    for (const NamedKernel& kernel : kernels()) {
      const Summary got = summary_of(kernel, {equal.data(), 100}, labels, true);
      BOOST_TEST(got.best == 0u);
      BOOST_TEST(got.second == 1u);
      BOOST_TEST(std::abs(got.sum - static_cast<float>(labels)) < 1e-5f);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_number_shows) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const size_t labels : {1, 5, 8, 20, 70}) {
    for (const NamedKernel& kernel : kernels()) {
      const std::vector<float> none(labels, nan);
      BOOST_TEST(std::isnan(summary_of(kernel, none, false).best_logit));
      for (size_t at = 0; at < labels; ++at) {
        std::vector<float> one(labels, 0.5f);
        one[at] = nan;
        BOOST_REQUIRE(std::isnan(summary_of(kernel, one, true).best_logit));
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
