// calibrate and train, on collections whose best settings are known.

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numeric>

#include "lib/labelling/calibrate.h"
#include "lib/labelling/classifier.h"
#include "lib/labelling/evaluate.h"
#include "lib/util/error.h"
#include "tests/programs/drawn_collection.h"
#include "tests/support/asked.h"

namespace zeroshelf {
namespace {

using testing::DrawnCollection;

bool is_corruption(const Error& error) {
  return error.code() == ErrorCode::Corruption;
}

FusionSettings scales(float image, float text, float alpha) {
  FusionSettings settings = FusionSettings::for_logit_scale(20);
  settings.image_scale = image;
  settings.text_scale = text;
  settings.alpha = alpha;
  return settings;
}

std::vector<size_t> first(size_t count) {
  std::vector<size_t> places(count);
  std::iota(places.begin(), places.end(), 0);
  return places;
}

BOOST_AUTO_TEST_SUITE(calibration)

BOOST_AUTO_TEST_CASE(the_fit_finds_the_settings_that_the_truth_was_drawn_from) {
  DrawnCollection drawn(1500);
  const View collection = drawn.open();
  const FusionSettings truth = scales(6, 12, 1);
  const auto known = drawn.drawn_truth(collection, truth);
  const KnownEvidence evidence(collection, drawn.vectors, known);
  BOOST_TEST(evidence.with_text() == 750u);
  const FusionSettings start = FusionSettings::for_logit_scale(20);
  const FusionSettings fitted = fit_settings(evidence, first(known.size()), start);
  BOOST_TEST(std::abs(std::log(fitted.image_scale / truth.image_scale)) < 0.2);
  // Scale and weight of the text are only known as a product.
  const TextEvidence text{1, 0.9f};
  const float expected = truth.text_scale * truth.text_weight(text);
  BOOST_TEST(std::abs(std::log(fitted.text_scale * fitted.text_weight(text) / expected)) < 0.25);
}

BOOST_AUTO_TEST_CASE(a_gain_is_seen_from_fifty_labels_and_said_to_be_real) {
  DrawnCollection drawn(50);
  const View collection = drawn.open();
  const auto known = drawn.drawn_truth(collection, scales(3, 12, 3));
  const KnownEvidence evidence(collection, drawn.vectors, known);
  const Calibration calibration = calibrate(evidence, 3, FusionSettings::for_logit_scale(20));
  BOOST_TEST(calibration.gain.folds == 10u);
  BOOST_TEST(calibration.gain.log_loss.interval.low > 0);
  BOOST_TEST(calibration.gain.is_real());
}

BOOST_AUTO_TEST_CASE(where_the_defaults_are_the_truth_there_is_no_gain_to_keep) {
  DrawnCollection drawn(200);
  const View collection = drawn.open();
  const FusionSettings start = FusionSettings::for_logit_scale(20);
  const auto known = drawn.drawn_truth(collection, start);
  const KnownEvidence evidence(collection, drawn.vectors, known);
  const Calibration calibration = calibrate(evidence, 3, start);
  BOOST_TEST(!calibration.gain.is_real());
  BOOST_TEST(calibration.gain.log_loss.value < 0.02);
  // And little is done: the priors hold.
  BOOST_TEST(std::abs(std::log(calibration.settings.image_scale / start.image_scale)) < 0.5);
}

BOOST_AUTO_TEST_CASE(a_gain_is_real_when_neither_interval_says_otherwise) {
  const auto is_real = [](double least_log_loss, double most_accuracy) {
    CalibrationGain gain;
    gain.log_loss.interval = {least_log_loss, 1};
    gain.judged.comparisons.resize(1);
    gain.judged.comparisons[0].difference.value = -0.01;
    gain.judged.comparisons[0].difference.interval = {-0.03, most_accuracy};
    return gain.is_real();
  };
  BOOST_TEST(is_real(0.1, 0.01));
  BOOST_TEST(!is_real(0.1, -0.005));
  BOOST_TEST(!is_real(-0.1, 0.01));
}

BOOST_AUTO_TEST_CASE(one_true_label_and_pictures_without_text_are_sane) {
  DrawnCollection drawn(20);
  const View collection = drawn.open();
  std::vector<KnownPicture> known;
  for (Row row = 1; row < 20; row += 2) known.push_back({row, 1});
  const KnownEvidence evidence(collection, drawn.vectors, known);
  BOOST_TEST(evidence.with_text() == 0u);
  const FusionSettings start = FusionSettings::for_logit_scale(20);
  const Calibration calibration = calibrate(evidence, 3, start);
  BOOST_TEST(std::isfinite(calibration.gain.log_loss.value));
  BOOST_TEST(std::abs(calibration.settings.text_scale - start.text_scale) < 0.01f);
}

BOOST_AUTO_TEST_CASE(a_kept_one_comes_back_and_a_damaged_one_is_refused) {
  KeptCalibration kept;
  kept.settings = scales(3, 4, 0.5f);
  kept.settings.image_centring = 0.25f;
  kept.model_fingerprint = "d4a3";
  kept.labels = {"a", "\"b\""};
  kept.pictures = 50;
  const std::string bytes = encode_calibration(kept);
  const KeptCalibration back = decode_calibration(bytes, "x");
  BOOST_TEST((back.settings == kept.settings));
  BOOST_TEST(back.labels == kept.labels, boost::test_tools::per_element());
  for (const std::string& text : std::vector<std::string>{
           "", "{}", "[1]", bytes.substr(0, bytes.size() / 2), "{\"version\":1,\"settings\":{}}"})
    BOOST_CHECK_EXCEPTION(decode_calibration(text, "x"), Error, is_corruption);
  std::string negative = bytes;
  negative.replace(negative.find("0.5"), 3, "-.5");
  BOOST_CHECK_EXCEPTION(decode_calibration(negative, "x"), Error, is_corruption);
  negative = bytes;
  negative.replace(negative.find("0.5"), 3, "-25");
  BOOST_CHECK_EXCEPTION(decode_calibration(negative, "x"), Error, is_corruption);

  DrawnCollection drawn(2);
  const View collection = drawn.open();
  save_calibration(collection, "mine", kept);
  BOOST_TEST((load_calibration(collection, "mine").settings == kept.settings));
  BOOST_CHECK_EXCEPTION(load_calibration(collection, "other"), Error, [](const Error& error) {
    return error.code() == ErrorCode::NotFound && error.cure() == "there are mine";
  });
  kept.model_fingerprint = "another";
  save_calibration(collection, "foreign", kept);
  BOOST_CHECK_EXCEPTION(load_calibration(collection, "foreign"), Error,
                        [](const Error& error) { return error.code() == ErrorCode::Incompatible; });
}

BOOST_AUTO_TEST_SUITE_END()

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
  BOOST_TEST(accuracy(answers[1].judgements).value() > 0.93);
  BOOST_TEST(learned.held_out.value() > 0.8);
  BOOST_TEST(accuracy(answers[0].judgements).value() < 0.6);
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
  const std::string bytes = encode_classifier(learned);
  for (size_t size = 1; size < bytes.size(); ++size)
    BOOST_REQUIRE_THROW(decode_classifier(bytes.substr(0, size), "x"), Error);
  BOOST_CHECK_EXCEPTION(decode_classifier(bytes + "x", "x"), Error, is_corruption);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
