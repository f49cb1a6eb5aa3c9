// Every rule against its predictions.

#include "lib/labelling/evaluate.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

#include "lib/labelling/adapt_labels.h"
#include "lib/util/error.h"
#include "tests/support/asked.h"
#include "tests/support/random_collection.h"

namespace zeroshelf {
namespace {

using testing::random_matrix;
using testing::RandomCollection;

BOOST_FIXTURE_TEST_SUITE(evaluating, RandomCollection)

BOOST_AUTO_TEST_CASE(evaluate_counts_each_rule_as_its_predictions_do) {
  const View collection = open();
  const std::vector<Label> labels = {{"a", {"a"}}, {"b", {"b"}}, {"c", {"c"}}};
  const LabelVectors vectors(random_matrix(random, 3));
  Truth truth = {{"/not there", "a"}};
  for (Row row = 1; row < 600; row += 2) {
    truth["/" + std::to_string(row)] = labels[row % 3].name;
  }
  const Evaluation evaluation =
      evaluate(collection, labels, every_rule(collection, labels, vectors), truth);
  BOOST_REQUIRE_EQUAL(evaluation.result.reports.size(), fusion_rules().size());
  for (size_t i = 0; i < fusion_rules().size(); ++i) {
    const Report& report = evaluation.result.reports[i];
    const Fusion fusion = default_fusion(collection, report.name);
    const auto predictions =
        classify(collection, labelling_of(labels_for(collection, fusion, vectors), fusion));
    uint64_t right = 0;
    uint64_t known = 0;
    for (Row row = 1; row < 600; row += 2) {
      if (!collection.is_live(row)) continue;
      ++known;
      right += predictions[row].winner && predictions[row].answer().label == row % 3;
    }
    BOOST_TEST(evaluation.pictures == known);
    BOOST_TEST(report.accuracy.value == static_cast<double>(right) / static_cast<double>(known));
    LabelCounts sum;
    for (const LabelCounts& counts : report.labels) {
      sum.right += counts.right;
      sum.truths += counts.truths;
    }
    BOOST_TEST(sum.right == right);
    BOOST_TEST(sum.truths == known);
  }
  // Rows 7, 21, 35 ... were removed; they and "/not there" are not in the collection.
  BOOST_TEST(evaluation.not_in_collection == 1 + 300 - evaluation.pictures);
  BOOST_TEST(evaluation.without_truth == 600 - evaluation.pictures);
}

BOOST_AUTO_TEST_CASE(what_is_written_decides_nothing_between_labels_of_pictures_alone) {
  const LabelVectors vectors(random_matrix(random, 2));
  const std::vector<Way> ways =
      every_rule(open(), {{"a", {"a"}}, {"b", {"@/b.jpg", "- a text"}}}, vectors);
  BOOST_TEST(ways.size() == fusion_rules().size() - 1);
  for (const Way& way : ways) BOOST_TEST(way.name != "text");
}

BOOST_AUTO_TEST_CASE(evaluate_refuses_a_truth_that_cannot_be_compared) {
  const View collection = open();
  const std::vector<Label> labels = {{"a", {"a"}}, {"b", {"b"}}};
  const LabelVectors vectors(random_matrix(random, 2));
  BOOST_CHECK_EXCEPTION(
      evaluate(collection, labels, every_rule(collection, labels, vectors), {{"/1", "unknown"}}),
      Error, [](const Error& error) {
        return std::string(error.what()).find("unknown") != std::string::npos;
      });
  BOOST_CHECK_THROW(
      evaluate(collection, labels, every_rule(collection, labels, vectors), {{"/elsewhere", "a"}}),
      Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
