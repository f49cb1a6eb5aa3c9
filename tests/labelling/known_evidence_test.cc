// The evidence of labelled pictures, fused again, against the answers of a scan.

#include "lib/labelling/known_evidence.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "tests/programs/drawn_collection.h"

namespace zeroshelf {
namespace {

using testing::DrawnCollection;

FusionSettings some_settings() {
  FusionSettings settings = FusionSettings::for_logit_scale(20);
  settings.text_scale = 9;
  settings.alpha = 2;
  settings.image_centring = 0.5f;
  return settings;
}

BOOST_AUTO_TEST_SUITE(known_evidence)

BOOST_AUTO_TEST_CASE(outcomes_are_those_of_a_scan_with_the_same_settings) {
  DrawnCollection drawn(300);
  const View collection = drawn.open();
  const FusionSettings settings = some_settings();
  std::vector<KnownPicture> known;
  std::vector<size_t> places;
  for (Row row = 0; row < 300; row += 3) {
    places.push_back(known.size());
    known.push_back({row, static_cast<uint32_t>(row % DrawnCollection::kLabels)});
  }
  const KnownEvidence evidence(collection, drawn.vectors, known);
  BOOST_TEST(evidence.size() == 100u);
  BOOST_TEST(evidence.with_text() == 50u);
  const auto outcomes = evidence.outcomes(settings, places);
  BOOST_REQUIRE_EQUAL(outcomes.size(), places.size());

  ScanOptions options;
  options.threads = 1;
  options.all_scores = true;
  scan(collection, labelling_of(drawn.vectors, {&fusion_rule("mix"), settings}), options,
       [&](const PredictionBlock& block) {
         for (size_t i = 0; i < block.predictions.size(); ++i) {
           const Row row = block.first_row + i;
           if (row % 3 != 0) continue;
           const auto& outcome = outcomes[row / 3];
           BOOST_TEST(outcome.answer.truth == row % DrawnCollection::kLabels);
           BOOST_TEST(outcome.answer.answer.value() == block.predictions[i].answer().label);
           BOOST_TEST(outcome.answer.confidence == block.predictions[i].answer().score);
           const double of_truth = block.scores_of(i)[outcome.answer.truth];
           BOOST_TEST(std::abs(outcome.log_loss + std::log(of_truth)) < 1e-5);
         }
       });
}

BOOST_AUTO_TEST_CASE(only_the_places_that_are_asked_for_are_answered_in_their_order) {
  DrawnCollection drawn(10);
  const View collection = drawn.open();
  std::vector<KnownPicture> known;
  for (Row row = 0; row < 10; ++row) known.push_back({row, 0});
  const KnownEvidence evidence(collection, drawn.vectors, known);
  const FusionSettings settings = some_settings();
  const size_t all[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const size_t some[] = {7, 2};
  const auto whole = evidence.outcomes(settings, all);
  const auto part = evidence.outcomes(settings, some);
  BOOST_REQUIRE_EQUAL(part.size(), 2u);
  BOOST_TEST(part[0].log_loss == whole[7].log_loss);
  BOOST_TEST(part[1].log_loss == whole[2].log_loss);
  BOOST_TEST(evidence.outcomes(settings, {}).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
