// Ways of answering side by side: figures, intervals and pairs.

#include "lib/evaluation/evaluation.h"

#include <boost/test/unit_test.hpp>

#include "lib/util/random.h"

namespace zeroshelf {
namespace {

// Answers that are right with this probability, of two labels.
Answers random_answers(const std::string& name, double right, uint64_t seed, size_t pictures) {
  Random truths(1);
  Random random(seed);
  Answers answers{name, {}};
  for (size_t i = 0; i < pictures; ++i) {
    const auto truth = static_cast<uint32_t>(truths.below(2));
    const uint32_t answer = random.chance(right) ? truth : 1 - truth;
    answers.checked.push_back({truth, answer, static_cast<float>(random.uniform())});
  }
  return answers;
}

BOOST_AUTO_TEST_SUITE(evaluation)

BOOST_AUTO_TEST_CASE(figures_lie_within_their_intervals_and_are_those_of_the_counts) {
  const Answers answers = random_answers("a", 0.8, 2, 500);
  const Report report = evaluate_answers({answers}, 2, {.resamples = 500}).reports.at(0);
  BOOST_TEST(report.accuracy.value == accuracy(answers.checked).value());
  BOOST_TEST(report.macro_f1.value == macro_f1(count_labels(answers.checked, 2)));
  for (const Figure& figure : {report.accuracy, report.macro_f1}) {
    BOOST_TEST(figure.interval.low < figure.value);
    BOOST_TEST(figure.interval.high > figure.value);
    BOOST_TEST(figure.interval.high - figure.interval.low < 0.09);
  }
}

BOOST_AUTO_TEST_CASE(a_clear_difference_is_told_from_none) {
  std::vector<Answers> answers = {random_answers("worse", 0.7, 2, 1000),
                                  random_answers("better", 0.8, 3, 1000),
                                  random_answers("as good", 0.8, 3, 1000)};
  // As often right as the second one, of other pictures.
  for (size_t i = 0; i < 1000; ++i) {
    const bool right = answers[1].checked[(i + 1) % 1000].is_right();
    CheckedAnswer& it = answers[2].checked[i];
    it.answer = right ? it.truth : 1 - it.truth;
  }
  const EvaluationResult result = evaluate_answers(answers, 2, {.resamples = 500});
  BOOST_REQUIRE_EQUAL(result.comparisons.size(), 3u);
  const Comparison& clear = result.comparisons[0];
  BOOST_TEST(clear.difference.interval.low > 0);
  BOOST_TEST(clear.p_value < 0.001);
  BOOST_TEST(clear.difference.value * 1000 == static_cast<double>(clear.only_second_right) -
                                                  static_cast<double>(clear.only_first_right),
             boost::test_tools::tolerance(1e-9));
  const Comparison& same = result.comparisons[2];
  BOOST_TEST(same.first == 1u);
  BOOST_TEST(same.second == 2u);
  BOOST_TEST(same.difference.interval.low < 0);
  BOOST_TEST(same.difference.interval.high > 0);
  BOOST_TEST(same.difference.value == 0.0);
  BOOST_TEST(same.p_value == 1.0);
}

BOOST_AUTO_TEST_CASE(threads_change_nothing) {
  const std::vector<Answers> answers = {random_answers("a", 0.6, 2, 100)};
  const EvaluationResult one = evaluate_answers(answers, 2, {.threads = 1});
  const EvaluationResult three = evaluate_answers(answers, 2, {.threads = 3});
  BOOST_TEST(one.reports[0].macro_f1.interval.low == three.reports[0].macro_f1.interval.low);
  BOOST_TEST(one.reports[0].calibration_error.interval.high ==
             three.reports[0].calibration_error.interval.high);
}

BOOST_AUTO_TEST_CASE(one_picture_and_no_answers_are_sane) {
  const EvaluationResult result =
      evaluate_answers({{"none", {{0, std::nullopt, 0}}}, {"right", {{0, 0, 1}}}}, 1, {});
  BOOST_TEST(result.reports[0].accuracy.value == 0.0);
  BOOST_TEST(result.reports[0].coverage.empty());
  BOOST_TEST(result.reports[0].calibration_error.value == 0.0);
  BOOST_TEST(result.reports[1].macro_f1.value == 1.0);
  BOOST_TEST(result.comparisons[0].p_value == 1.0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
