#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>
#include <vector>

#include "lib/collection/collection.h"
#include "lib/util/error.h"
#include "query/classify.h"
#include "query/evaluate.h"
#include "query/search.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

constexpr uint32_t kDimension = 48;

std::vector<float> random_unit_vector(std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<float> vector(kDimension);
  for (float& value : vector) value = normal(random);
  normalise(vector);
  return vector;
}

Matrix random_matrix(std::mt19937& random, size_t rows) {
  Matrix result(rows, kDimension);
  for (size_t i = 0; i < rows; ++i) {
    const std::vector<float> vector = random_unit_vector(random);
    std::copy(vector.begin(), vector.end(), result.row(i).begin());
  }
  return result;
}

// 700 pictures, every third with text, every seventh removed again.
struct RandomCollection {
  RandomCollection() {
    Manifest manifest;
    manifest.model_name = "random";
    manifest.model_fingerprint = "0";
    manifest.dimension = kDimension;
    manifest.logit_scale = 20;
    CollectionWriter writer = CollectionWriter::open_or_create(directory / "collection", manifest);
    Batch added;
    for (size_t i = 0; i < 700; ++i) {
      NewPicture picture;
      picture.record.file.path = "/" + std::to_string(i);
      picture.record.content_hash[0] = static_cast<uint8_t>(i);
      picture.record.content_hash[1] = static_cast<uint8_t>(i >> 8);
      picture.image_vector = random_unit_vector(random);
      if (i % 3 == 0) {
        picture.words = {{"word", 0.9f, {}}};
        picture.record.word_count = 1;
        picture.text_vector = random_unit_vector(random);
      }
      added.added.push_back(std::move(picture));
    }
    writer.commit(added);
    Batch removed;
    for (Row row = 0; row < 700; row += 7) removed.removed.push_back(row);
    writer.commit(removed);
  }

  Collection open() const { return Collection::open(directory / "collection"); }

  std::mt19937 random{11};
  testing::TemporaryDirectory directory;
};

// The oracle: inner products in double, straight from the stored halves.
std::vector<float> similarities(const VectorRows& vectors, size_t row, const Matrix& queries) {
  std::vector<float> values(kDimension);
  from_fp16(vectors.row(row), values);
  std::vector<float> result;
  for (size_t q = 0; q < queries.rows(); ++q) {
    double sum = 0;
    for (size_t j = 0; j < kDimension; ++j)
      sum += static_cast<double>(values[j]) * queries.row(q)[j];
    result.push_back(static_cast<float>(sum));
  }
  return result;
}

BOOST_FIXTURE_TEST_SUITE(queries, RandomCollection)

BOOST_AUTO_TEST_CASE(classify_agrees_with_a_plain_loop_for_every_rule_and_number_of_threads) {
  const Collection collection = open();
  for (const size_t label_count : {1u, 2u, 33u, 1000u}) {
    const Matrix labels = random_matrix(random, label_count);
    for (const FusionRule rule : {FusionRule::Image, FusionRule::Text, FusionRule::Max}) {
      const std::vector<Prediction> predictions = classify(collection, labels, rule, 1);
      const std::vector<Prediction> threaded = classify(collection, labels, rule, 3);
      BOOST_REQUIRE(predictions.size() == 700u);
      for (Row row = 0; row < predictions.size(); ++row) {
        if (!collection.is_live(row)) continue;
        const auto text = collection.text_index(row);
        BOOST_REQUIRE(text.has_value() == (row % 3 == 0));
        const Prediction expected = fuse(
            rule, similarities(collection.image_vectors(), row, labels),
            text ? similarities(collection.text_vectors(), *text, labels) : std::vector<float>(),
            20);
        const Prediction& got = predictions[row];
        BOOST_REQUIRE(got.image.label == expected.image.label);
        BOOST_REQUIRE(std::abs(got.image.score - expected.image.score) < 1e-4f);
        BOOST_REQUIRE(got.text.has_value() == expected.text.has_value());
        if (got.text) BOOST_REQUIRE(got.text->label == expected.text->label);
        BOOST_REQUIRE((got.winner == expected.winner));
        BOOST_REQUIRE(got.image.score == threaded[row].image.score);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(search_agrees_with_sorting_everything) {
  const Collection collection = open();
  for (const SearchSpace space : {SearchSpace::Picture, SearchSpace::Text}) {
    const Matrix query = random_matrix(random, 1);
    std::vector<std::pair<float, Row>> expected;
    for (Row row = 0; row < 700; ++row) {
      if (!collection.is_live(row)) continue;
      const auto text = collection.text_index(row);
      if (space == SearchSpace::Text && !text) continue;
      const float score = space == SearchSpace::Text
                              ? similarities(collection.text_vectors(), *text, query)[0]
                              : similarities(collection.image_vectors(), row, query)[0];
      expected.emplace_back(-score, row);
    }
    std::sort(expected.begin(), expected.end());
    const std::vector<SearchHit> hits = search(collection, query.row(0), 20, space, 2);
    BOOST_REQUIRE(hits.size() == 20u);
    for (size_t i = 0; i < hits.size(); ++i) {
      BOOST_TEST(std::abs(hits[i].score(space) + expected[i].first) < 1e-5f);
      BOOST_TEST(hits[i].row == expected[i].second);
    }
    // More than there are: all that live, none twice.
    BOOST_TEST(search(collection, query.row(0), 10'000, space).size() == expected.size());
  }
}

BOOST_AUTO_TEST_CASE(vectors_of_another_dimension_are_refused) {
  const Collection collection = open();
  BOOST_CHECK_THROW(classify(collection, Matrix(2, kDimension + 1), FusionRule::Max), Error);
  BOOST_CHECK_THROW(classify(collection, Matrix(0, kDimension), FusionRule::Max), Error);
  BOOST_CHECK_THROW(search(collection, std::vector<float>(3), 1, SearchSpace::Picture), Error);
}

BOOST_AUTO_TEST_CASE(evaluate_counts_each_rule_as_its_predictions_do) {
  const Collection collection = open();
  const std::vector<Label> labels = {{"a", {"a"}}, {"b", {"b"}}, {"c", {"c"}}};
  const Matrix vectors = random_matrix(random, 3);
  Truth truth = {{"/not there", "a"}};
  for (Row row = 1; row < 600; row += 2) {
    truth["/" + std::to_string(row)] = labels[row % 3].name;
  }
  const Evaluation evaluation = evaluate(collection, labels, vectors, truth);
  BOOST_REQUIRE_EQUAL(evaluation.rules.size(), 3u);
  BOOST_REQUIRE_EQUAL(evaluation.judged.reports.size(), 3u);
  for (size_t i = 0; i < evaluation.rules.size(); ++i) {
    const Report& report = evaluation.judged.reports[i];
    const auto predictions = classify(collection, vectors, parse_fusion_rule(evaluation.rules[i]));
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

BOOST_AUTO_TEST_CASE(evaluate_refuses_a_truth_that_cannot_be_judged) {
  const Collection collection = open();
  const std::vector<Label> labels = {{"a", {"a"}}, {"b", {"b"}}};
  const Matrix vectors = random_matrix(random, 2);
  BOOST_CHECK_EXCEPTION(evaluate(collection, labels, vectors, {{"/1", "unknown"}}), Error,
                        [](const Error& error) { return error.subject() == "unknown"; });
  BOOST_CHECK_THROW(evaluate(collection, labels, vectors, {{"/elsewhere", "a"}}), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
