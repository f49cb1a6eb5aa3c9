// Training, on collections whose truth is known.

#include "lib/labelling/classifier.h"

#include <boost/test/unit_test.hpp>

#include "lib/labelling/evaluate.h"
#include "lib/util/error.h"
#include "tests/programs/drawn_collection.h"
#include "tests/support/asked.h"
#include "tests/support/checks.h"

namespace zeroshelf {
namespace {

using testing::DrawnCollection;
using testing::is_corruption;
using testing::scales;

BOOST_AUTO_TEST_SUITE(classifier)

// Truths that follow from both vectors by another rule than the prompts know.
std::vector<KnownPicture> hidden_truth(const View& collection, DrawnCollection& drawn) {
  Matrix weights(DrawnCollection::kLabels, DrawnCollection::kDimension);
  for (uint32_t k = 0; k < weights.rows(); ++k)
    std::ranges::copy(drawn.unit_vector(), weights.row(k).begin());
  const auto predictions = classify(
      collection, labelling_of(LabelVectors(weights), {&fusion_rule("mix"), scales(20, 20, 1)}));
  std::vector<KnownPicture> known;
  for (Row row = 0; row < predictions.size(); ++row)
    known.push_back({row, predictions[row].answer().label});
  return known;
}

const std::vector<std::string> kNames = {"a", "b", "c"};

BOOST_AUTO_TEST_CASE(what_was_learned_answers_by_the_scan_as_the_regression_does) {
  DrawnCollection drawn(400);
  const View collection = drawn.open();
  const auto known = hidden_truth(collection, drawn);
  const Training training = train_classifier(collection, kNames, known);
  const Classifier& learned = training.classifier;
  const std::vector<Way> ways = {
      {"prompts", labelling_of(drawn.vectors, default_fusion(collection, "mix"))},
      {"learned", labelling_of(learned.vectors, {&fusion_rule("mix"), learned.settings})}};
  const auto answers = answers_of(collection, ways, known);
  BOOST_TEST(accuracy(answers[1].checked).value() > 0.93);
  BOOST_TEST(learned.held_out.value() > 0.8);
  BOOST_TEST(accuracy(answers[0].checked).value() < 0.6);
  BOOST_TEST(learned.held_out.trials == 400u);
}

BOOST_AUTO_TEST_CASE(the_text_side_is_used_and_may_be_missing) {
  DrawnCollection drawn(300);
  const View collection = drawn.open();
  std::vector<KnownPicture> known;
  for (Row row = 0; row < 300; ++row) {
    const auto text = collection.text_index(row);
    if (!text) continue;
    std::vector<float> vector(DrawnCollection::kDimension);
    from_fp16(only_part(collection).text_vectors().row(*text), vector);
    known.push_back({row, vector[0] > 0 ? 1u : 0u});
  }
  BOOST_TEST(train_classifier(collection, kNames, known).classifier.held_out.value() > 0.75);
  std::vector<KnownPicture> without;
  for (Row row = 1; row < 300; row += 2)
    without.push_back({row, static_cast<uint32_t>(row / 2 % 2)});
  const Classifier learned = train_classifier(collection, kNames, without).classifier;
  for (const float value : learned.vectors.text.row(0)) BOOST_REQUIRE(value == 0);
  BOOST_TEST(learned.held_out.value() < 0.7);  // there is nothing to learn
}

BOOST_AUTO_TEST_CASE(too_few_examples_are_refused) {
  DrawnCollection drawn(10);
  const View collection = drawn.open();
  BOOST_CHECK_THROW(train_classifier(collection, kNames, {{0, 0}, {1, 0}, {2, 0}, {3, 1}}), Error);
  BOOST_CHECK_NO_THROW(train_classifier(collection, kNames, {{0, 0}, {1, 0}, {2, 1}, {3, 1}}));
}

BOOST_AUTO_TEST_CASE(a_kept_one_comes_back_and_a_damaged_one_is_refused) {
  DrawnCollection drawn(60);
  const View collection = drawn.open();
  const Classifier learned =
      train_classifier(collection, kNames, hidden_truth(collection, drawn)).classifier;
  save_classifier(collection, "mine", learned);
  const Classifier back = load_classifier(collection, "mine");
  BOOST_TEST(back.labels[2].name == "c");
  BOOST_TEST(back.vectors.text.row(1)[3] == learned.vectors.text.row(1)[3]);
  BOOST_TEST(back.vectors.image_bias == learned.vectors.image_bias,
             boost::test_tools::per_element());
  BOOST_TEST(back.held_out.good == learned.held_out.good);
  BOOST_TEST(back.learned_from.size() == 60u);
  BOOST_TEST(back.learned_from == learned.learned_from, boost::test_tools::per_element());
  const std::string bytes = encode_classifier(learned);
  for (size_t size = 1; size < bytes.size(); ++size)
    BOOST_REQUIRE_THROW(decode_classifier(bytes.substr(0, size), "x"), Error);
  BOOST_CHECK_EXCEPTION(decode_classifier(bytes + "x", "x"), Error, is_corruption);
  // As it was before it said which pictures it was learned from.
  std::string earlier = bytes.substr(0, bytes.size() - 1 - 8 * learned.learned_from.size());
  earlier[0] = 1;
  BOOST_TEST(decode_classifier(earlier, "x").labels.size() == 3u);
  BOOST_TEST(decode_classifier(earlier, "x").learned_from.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
