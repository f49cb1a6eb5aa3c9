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
  if (instruction_set() != InstructionSet::Portable)
    result.push_back({"avx2", kernel::summarise_avx2, kernel::softmax_avx2});
  if (instruction_set() == InstructionSet::Avx512)
    result.push_back({"avx512", kernel::summarise_avx512, kernel::softmax_avx512});
  return result;
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
      const float* second = b.empty() ? nullptr : b.data();
      const Summary got = kernel.summarise(a.data(), a_scale, second, b_scale, a.size(), true);
      BOOST_REQUIRE(got.best < a.size());
      BOOST_TEST(std::abs(logits[got.best] - sorted[0]) <= slack);
      BOOST_TEST(std::abs(got.best_logit - sorted[0]) <= slack);
      if (a.size() > 1) {
        BOOST_REQUIRE(got.second < a.size());
        BOOST_TEST(got.second != got.best);
        BOOST_TEST(std::abs(logits[got.second] - sorted[1]) <= slack);
      }
      BOOST_TEST(std::abs(got.sum - sum) <= (1e-5 + 2 * slack) * sum);
      const Summary without = kernel.summarise(a.data(), a_scale, second, b_scale, a.size(), false);
      BOOST_TEST(without.best == got.best);
      BOOST_TEST(without.sum == 1);
      std::vector<float> p(a.size() + 1, -7);
      kernel.softmax(a.data(), a_scale, second, b_scale, a.size(), got.best_logit,
                     static_cast<float>(1 / got.sum), p.data());
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

BOOST_AUTO_TEST_SUITE(softmax_kernels)

BOOST_AUTO_TEST_CASE(random_logits_agree_with_a_plain_loop) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> cosine(-1, 1);
  for (const size_t labels : {1, 2, 3, 7, 8, 9, 10, 15, 16, 17, 31, 32, 33, 255, 1000, 5000}) {
    std::vector<float> a(labels);
    std::vector<float> b(labels);
    for (float& value : a) value = cosine(random);
    for (float& value : b) value = cosine(random);
    for (const float scale : {0.0f, 1.0f, 100.0f}) {
      expect_plain(a, scale, {}, 0);
      expect_plain(a, scale, b, 30);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_exponential_is_right_over_its_whole_range) {
  std::vector<float> logits = {0};
  for (int i = 0; i < 4096; ++i) logits.push_back(-80.0f * static_cast<float>(i) / 4096);
  expect_plain(logits, 1, {}, 0);
}

BOOST_AUTO_TEST_CASE(ties_go_to_the_first_wherever_they_lie) {
  for (const size_t labels : {2, 9, 16, 40}) {
    for (size_t first = 0; first + 1 < labels; ++first) {
      for (size_t other = first + 1; other < labels; ++other) {
        std::vector<float> logits(labels, -1);
        logits[first] = logits[other] = 0.5f;
        for (const NamedKernel& kernel : kernels()) {
          const Summary got = kernel.summarise(logits.data(), 2, nullptr, 0, labels, true);
          BOOST_REQUIRE(got.best == first);
          BOOST_REQUIRE(got.second == other);
          BOOST_REQUIRE(got.second_logit == 1);
        }
      }
    }
    const std::vector<float> equal(labels, 0.25f);
    for (const NamedKernel& kernel : kernels()) {
      const Summary got = kernel.summarise(equal.data(), 100, nullptr, 0, labels, true);
      BOOST_TEST(got.best == 0u);
      BOOST_TEST(got.second == 1u);
      BOOST_TEST(std::abs(got.sum - static_cast<double>(labels)) < 1e-5);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_number_shows) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const size_t labels : {1, 5, 8, 20}) {
    for (const NamedKernel& kernel : kernels()) {
      const std::vector<float> none(labels, nan);
      BOOST_TEST(
          std::isnan(kernel.summarise(none.data(), 1, nullptr, 0, labels, false).best_logit));
      for (size_t at = 0; at < labels; ++at) {
        std::vector<float> one(labels, 0.5f);
        one[at] = nan;
        BOOST_REQUIRE(
            std::isnan(kernel.summarise(one.data(), 1, nullptr, 0, labels, true).best_logit));
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
