// Calibrating, on collections whose best settings are known.

#include "lib/labelling/calibrate.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numeric>

#include "lib/util/error.h"
#include "tests/programs/drawn_collection.h"
#include "tests/support/checks.h"

namespace zeroshelf {
namespace {

using testing::DrawnCollection;
using testing::is_corruption;
using testing::scales;

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
    gain.result.comparisons.resize(1);
    gain.result.comparisons[0].difference.value = -0.01;
    gain.result.comparisons[0].difference.interval = {-0.03, most_accuracy};
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

}  // namespace
}  // namespace zeroshelf
