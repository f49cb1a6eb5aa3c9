#pragma once

// Fitting the settings of the rule `mix` to a few pictures whose label is known.
//
// The fit maximises the probability that `mix` gives to the true labels, held back by priors around
// the settings that it starts from, so that few labels move what they say nothing of only little:
// normal distributions on the logarithms of the scales and of alpha (standard deviation 1) and,
// from 100 pictures with text on, of the gate's numbers (0.7); on the log odds of the centrings
// (1).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/evaluation/evaluation.h"
#include "lib/labelling/known_evidence.h"

namespace zeroshelf {

// places: which of the pictures count.
FusionSettings fit_settings(const KnownEvidence& known, std::span<const size_t> places,
                            const FusionSettings& start);

// What fitting would gain on pictures that it has not seen, by cross-validation: every picture is
// answered once by settings that were fitted to the other folds, and once by the defaults.
struct CalibrationGain {
  uint32_t folds = 0;
  uint64_t pictures = 0;
  uint64_t with_text = 0;
  Figure log_loss;  // per picture: default less fitted, so above 0 is better; paired bootstrap
  double default_log_loss = 0;
  EvaluationResult result;  // reports "default" and "calibrated", and the pair

  // Whether the gain is beyond noise: the interval of the log loss lies above 0, and that of the
  // difference in held-out accuracy is not below it.
  bool is_real() const;
};

struct Calibration {
  FusionSettings settings;  // fitted to all pictures
  CalibrationGain gain;
};

// Needs two pictures; with fewer than 10 their own number of folds. Deterministic.
Calibration calibrate(const KnownEvidence& known, size_t label_count, const FusionSettings& start,
                      unsigned threads = 0);

// --- kept with a collection ---------------------------------------------------------------------

inline constexpr std::string_view kCalibrationKind = "calibrations";

struct KeptCalibration {
  FusionSettings settings;
  std::string model_fingerprint;
  std::string created_utc;
  std::vector<std::string> labels;  // what it was fitted for
  uint64_t pictures = 0;            // to how many it was fitted
};

// What is to be kept of a calibration for these labels, now.
KeptCalibration kept_calibration(const View& collection, const std::vector<Label>& labels,
                                 const Calibration& calibration);

std::string encode_calibration(const KeptCalibration& kept);  // JSON
// Throws Corruption unless every number is one that settings may have.
KeptCalibration decode_calibration(std::string_view bytes, const std::string& subject);

void save_calibration(const View& collection, const std::string& name, const KeptCalibration& kept);
// Throws NotFound, naming those that there are, Incompatible for another model's, Corruption.
KeptCalibration load_calibration(const View& collection, const std::string& name);

}  // namespace zeroshelf
