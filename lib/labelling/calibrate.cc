// Tested by tests/labelling/calibrate_test.cc.

#include "lib/labelling/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "lib/collection/attachments.h"
#include "lib/evaluation/folds.h"
#include "lib/evaluation/minimise.h"
#include "lib/labelling/kept.h"
#include "lib/util/json_object.h"
#include "lib/util/utc.h"

namespace zeroshelf {
namespace {

constexpr uint32_t kFolds = 10;
constexpr uint64_t kSeed = 1;
constexpr size_t kTextsForTheGate = 100;
constexpr double kStep = 1e-3;  // of the numeric gradient, in units of a prior's deviation
constexpr float kLeast = 1e-3f;

enum class On { Logarithm, LogOdds };

// A number that is fitted.
struct Parameter {
  float FusionSettings::*member;
  On on;
  double deviation;  // of the prior
  bool of_gate = false;
};

constexpr std::array<Parameter, 7> kParameters = {
    {{&FusionSettings::image_scale, On::Logarithm, 1},
     {&FusionSettings::text_scale, On::Logarithm, 1},
     {&FusionSettings::alpha, On::Logarithm, 1},
     {&FusionSettings::image_centring, On::LogOdds, 1},
     {&FusionSettings::text_centring, On::LogOdds, 1},
     {&FusionSettings::confidence_power, On::Logarithm, 0.7, true},
     {&FusionSettings::half_words, On::Logarithm, 0.7, true}}};

// The parameter moved from where it starts by this number of deviations.
float moved(const Parameter& parameter, float start, double deviations) {
  const double by = deviations * parameter.deviation;
  if (parameter.on == On::Logarithm)
    return static_cast<float>(std::max(start, kLeast) * std::exp(by));
  const double share = std::clamp<double>(start, 0.02, 0.98);
  return static_cast<float>(1 / (1 + std::exp(-(std::log(share / (1 - share)) + by))));
}

class Fit {
 public:
  Fit(const KnownEvidence& known, std::span<const size_t> places, const FusionSettings& start)
      : known_(known), places_(places), start_(start) {
    for (const Parameter& parameter : kParameters)
      if (!parameter.of_gate || known.with_text() >= kTextsForTheGate) fitted_.push_back(parameter);
  }

  FusionSettings run() const {
    const auto function = [this](std::span<const double> at, std::span<double> gradient) {
      std::vector<double> near(at.begin(), at.end());
      for (size_t i = 0; i < at.size(); ++i) {
        near[i] = at[i] + kStep;
        const double above = loss(near);
        near[i] = at[i] - kStep;
        gradient[i] = (above - loss(near)) / (2 * kStep);
        near[i] = at[i];
      }
      return loss(at);
    };
    const MinimiseOptions options{.max_steps = 40, .gradient_tolerance = 1e-2};
    return settings(minimise(function, std::vector<double>(fitted_.size()), options).at);
  }

 private:
  FusionSettings settings(std::span<const double> at) const {
    FusionSettings result = start_;
    for (size_t i = 0; i < at.size(); ++i) {
      // Far out nothing changes any more, and no number may overflow.
      result.*fitted_[i].member =
          moved(fitted_[i], start_.*fitted_[i].member, std::clamp(at[i], -8.0, 8.0));
    }
    return result;
  }

  double loss(std::span<const double> at) const {
    double sum = 0;
    for (const KnownEvidence::Outcome& outcome : known_.outcomes(settings(at), places_))
      sum += outcome.log_loss;
    for (const double deviations : at) sum += deviations * deviations / 2;
    return sum;
  }

  const KnownEvidence& known_;
  std::span<const size_t> places_;
  FusionSettings start_;
  std::vector<Parameter> fitted_;
};

std::vector<size_t> places_where(std::span<const uint32_t> fold_of,
                                 const std::function<bool(uint32_t)>& wanted) {
  std::vector<size_t> places;
  for (size_t i = 0; i < fold_of.size(); ++i)
    if (wanted(fold_of[i])) places.push_back(i);
  return places;
}

CalibrationGain gain_of(const KnownEvidence& known, size_t label_count, const FusionSettings& start,
                        unsigned threads) {
  CalibrationGain gain;
  gain.pictures = known.size();
  gain.with_text = known.with_text();
  gain.folds = static_cast<uint32_t>(std::clamp<size_t>(known.size(), 2, kFolds));
  const auto fold_of = stratified_folds(known.truths(), gain.folds, kSeed);
  Answers by_default{"default", std::vector<CheckedAnswer>(known.size())};
  Answers calibrated{"calibrated", std::vector<CheckedAnswer>(known.size())};
  std::vector<double> gains(known.size());
  for (uint32_t fold = 0; fold < gain.folds; ++fold) {
    const auto others = places_where(fold_of, [&](uint32_t of) { return of != fold; });
    const auto held_out = places_where(fold_of, [&](uint32_t of) { return of == fold; });
    const auto before = known.outcomes(start, held_out);
    const auto after = known.outcomes(fit_settings(known, others, start), held_out);
    for (size_t i = 0; i < held_out.size(); ++i) {
      by_default.checked[held_out[i]] = before[i].answer;
      calibrated.checked[held_out[i]] = after[i].answer;
      gains[held_out[i]] = before[i].log_loss - after[i].log_loss;
      gain.default_log_loss += before[i].log_loss / static_cast<double>(known.size());
    }
  }
  gain.log_loss = {
      std::accumulate(gains.begin(), gains.end(), 0.0) / static_cast<double>(gains.size()),
      mean_interval(gains, {.seed = kSeed, .threads = threads})};
  gain.result =
      evaluate_answers({by_default, calibrated}, label_count, {.seed = kSeed, .threads = threads});
  return gain;
}

}  // namespace

FusionSettings fit_settings(const KnownEvidence& known, std::span<const size_t> places,
                            const FusionSettings& start) {
  return Fit(known, places, start).run();
}

bool CalibrationGain::is_real() const {
  return log_loss.interval.low > 0 && result.comparisons.at(0).difference.interval.high >= 0;
}

Calibration calibrate(const KnownEvidence& known, size_t label_count, const FusionSettings& start,
                      unsigned threads) {
  std::vector<size_t> all(known.size());
  std::iota(all.begin(), all.end(), 0);
  return {fit_settings(known, all, start), gain_of(known, label_count, start, threads)};
}

KeptCalibration kept_calibration(const View& collection, const std::vector<Label>& labels,
                                 const Calibration& calibration) {
  KeptCalibration kept;
  kept.settings = calibration.settings;
  kept.model_fingerprint = collection.manifest().model_fingerprint;
  kept.created_utc = now_utc();
  kept.pictures = calibration.gain.pictures;
  for (const Label& label : labels) kept.labels.push_back(label.name);
  return kept;
}

std::string encode_calibration(const KeptCalibration& kept) {
  const nlohmann::json value = {{"version", 1},
                                {"model_fingerprint", kept.model_fingerprint},
                                {"created", kept.created_utc},
                                {"labels", kept.labels},
                                {"pictures", kept.pictures},
                                {"settings", nlohmann::json::parse(settings_json(kept.settings))}};
  return value.dump(2) + "\n";
}

KeptCalibration decode_calibration(std::string_view bytes, const std::string& subject) {
  const auto value = parse_bounded_json(bytes);
  if (!value) throw Error(ErrorCode::Corruption, subject, "damaged: it is not JSON");
  if (json_member<uint32_t>(*value, "version", subject) != 1) throw other_version(subject);
  KeptCalibration kept;
  kept.model_fingerprint = json_member<std::string>(*value, "model_fingerprint", subject);
  kept.created_utc = json_member<std::string>(*value, "created", subject);
  kept.pictures = json_member<uint64_t>(*value, "pictures", subject);
  const auto labels = value->find("labels");
  if (labels == value->end() || !labels->is_array())
    throw Error(ErrorCode::Corruption, subject, "damaged: no usable \"labels\"");
  for (const auto& label : *labels) kept.labels.push_back(json_as<std::string>(label).value_or(""));
  const auto settings = value->find("settings");
  kept.settings = parse_settings(settings == value->end() ? "" : settings->dump(), subject);
  return kept;
}

void save_calibration(const View& collection, const std::string& name,
                      const KeptCalibration& kept) {
  collection.attachments().put(kCalibrationKind, name, encode_calibration(kept));
}

KeptCalibration load_calibration(const View& collection, const std::string& name) {
  KeptCalibration kept =
      decode_calibration(load_kept(collection, kCalibrationKind, name, "calibrate --save NAME"),
                         fmt::format("calibration {}", name));
  check_fingerprint(collection, kept.model_fingerprint, fmt::format("calibration {}", name));
  return kept;
}

}  // namespace zeroshelf
