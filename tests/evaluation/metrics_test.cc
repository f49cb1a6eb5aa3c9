// Figures against values worked out by hand.

#include "lib/evaluation/metrics.h"

#include <boost/test/unit_test.hpp>

namespace zeroshelf {
namespace {

const auto kClose = boost::test_tools::tolerance(1e-9);

// Three labels; the third occurs only as an answer, one picture has no answer.
const std::vector<CheckedAnswer> kFive = {
    {0, 0, 0.9f}, {0, 1, 0.6f}, {1, 1, 0.8f}, {1, 2, 0.6f}, {0, std::nullopt, 0.0f}};

BOOST_AUTO_TEST_SUITE(metrics)

BOOST_AUTO_TEST_CASE(no_answer_counts_as_wrong) {
  BOOST_TEST(accuracy(kFive).good == 2u);
  BOOST_TEST(accuracy(kFive).trials == 5u);
}

BOOST_AUTO_TEST_CASE(precision_and_recall_of_each_label) {
  const std::vector<LabelCounts> labels = count_labels(kFive, 4);
  BOOST_TEST(labels[0].recall().value() == 1.0 / 3, kClose);
  BOOST_TEST(labels[0].precision().value() == 1.0, kClose);
  BOOST_TEST(labels[0].f1() == 0.5, kClose);
  BOOST_TEST(labels[1].f1() == 0.5, kClose);
  BOOST_TEST(labels[2].f1() == 0.0, kClose);
  BOOST_TEST(!labels[3].occurs());
}

BOOST_AUTO_TEST_CASE(macro_f1_is_the_mean_over_labels_that_occur) {
  BOOST_TEST(macro_f1(count_labels(kFive, 4)) == 1.0 / 3, kClose);
  BOOST_TEST(macro_f1(count_labels({}, 4)) == 0.0, kClose);
}

BOOST_AUTO_TEST_CASE(the_confusion_matrix_has_the_cells_that_are_not_empty) {
  const std::vector<ConfusionCell> cells = confusion(kFive);
  BOOST_REQUIRE_EQUAL(cells.size(), 5u);
  BOOST_TEST(!cells[0].answer.has_value());
  BOOST_TEST(cells[4].truth == 1u);
  BOOST_TEST(*cells[4].answer == 2u);
  uint64_t sum = 0;
  for (const ConfusionCell& cell : cells) sum += cell.pictures;
  BOOST_TEST(sum == kFive.size());
}

BOOST_AUTO_TEST_CASE(bins_include_their_lower_bound_and_the_last_one_has_1) {
  BOOST_TEST(reliability_bin(0) == 0u);
  BOOST_TEST(reliability_bin(-0.4f) == 0u);
  BOOST_TEST(reliability_bin(0.0666f) == 0u);
  BOOST_TEST(reliability_bin(0.0667f) == 1u);
  BOOST_TEST(reliability_bin(1) == 14u);
  BOOST_TEST(reliability_bin(7) == 14u);
}

// Bins of 0.6 (two, none right), 0.8 (one, right), 0.9 (one, right): (1.2 + 0.2 + 0.1) / 4.
BOOST_AUTO_TEST_CASE(calibration_error_is_the_mean_gap_between_confidence_and_accuracy) {
  BOOST_TEST(expected_calibration_error(reliability(kFive)) == 1.5 / 4,
             boost::test_tools::tolerance(1e-6));
  BOOST_TEST(expected_calibration_error(reliability({})) == 0.0);
}

BOOST_AUTO_TEST_CASE(answers_that_are_right_as_often_as_they_say_have_no_error) {
  std::vector<CheckedAnswer> checked;
  for (uint32_t i = 0; i < 100; ++i) checked.push_back({i < 75 ? 1u : 0u, 1, 0.75f});
  BOOST_TEST(expected_calibration_error(reliability(checked)) < 1e-9);
}

BOOST_AUTO_TEST_CASE(the_surest_answers_come_first_and_equal_ones_together) {
  const std::vector<CoveragePoint> curve = coverage_curve(kFive);
  BOOST_REQUIRE_EQUAL(curve.size(), 3u);
  BOOST_TEST(curve[0].coverage == 0.2, kClose);
  BOOST_TEST(curve[0].accuracy() == 1.0, kClose);
  BOOST_TEST(curve[2].answered == 4u);
  BOOST_TEST(curve[2].accuracy() == 0.5, kClose);
  BOOST_TEST(curve[2].confidence == 0.6f);
  BOOST_TEST(at_coverage(curve, 0.4)->answered == 2u);
  BOOST_TEST(at_coverage(curve, 0.5)->answered == 4u);
  BOOST_TEST(!at_coverage(curve, 1).has_value());
  BOOST_TEST(coverage_curve({}).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
