// Fusion of picture and text evidence. Tested by tests/fusion/fusion_test.cc.

#include "lib/fusion/fusion.h"

#include <cassert>
#include <cmath>
#include <utility>

#include "lib/util/error.h"

namespace zeroshelf {
namespace {

SideAnswer answer_of(const SideEvidence& side, bool probability) {
  const Summary& summary = side.summary;
  SideAnswer answer;
  answer.label = summary.best;
  answer.score = probability ? static_cast<float>(1 / summary.sum) : summary.best_logit;
  answer.margin = answer.score;
  if (side.values.size() == 1) return answer;
  answer.margin = probability
                      ? static_cast<float>(-std::expm1(static_cast<double>(summary.second_logit) -
                                                       static_cast<double>(summary.best_logit)) /
                                           summary.sum)
                      : summary.best_logit - summary.second_logit;
  return answer;
}

void add_offsets(std::span<float> values, const std::vector<float>& offsets) {
  if (offsets.empty()) return;
  assert(offsets.size() == values.size());
  for (size_t k = 0; k < values.size(); ++k) values[k] += offsets[k];
}

void expect_number(const Summary& summary, const char* side) {
  if (std::isfinite(summary.best_logit)) return;
  throw Error(ErrorCode::Corruption, "collection",
              std::string("damaged: a vector of a ") + side + " holds what is no number",
              "run zeroshelf-index verify");
}

}  // namespace

FusionSettings FusionSettings::for_logit_scale(float logit_scale) {
  FusionSettings settings;
  settings.image_scale = logit_scale;
  settings.text_scale = logit_scale / 4;
  return settings;
}

float FusionSettings::text_weight(const TextEvidence& text) const {
  if (text.word_count == 0 || !(text.confidence > 0)) return 0;
  const auto words = static_cast<float>(text.word_count);
  const float sure =
      confidence_power == 1 ? text.confidence : std::pow(text.confidence, confidence_power);
  return alpha * sure * words / (words + half_words);
}

std::string_view source_name(Source source) {
  return source == Source::Image ? "image" : "text";
}

Fuser::Fuser(const Fusion& fusion, std::vector<float> image_offsets,
             std::vector<float> text_offsets)
    : fusion_(fusion),
      softmax_of_text_(fusion.rule->sides() == FusionRule::Sides::Centred),
      image_offsets_(std::move(image_offsets)),
      text_offsets_(std::move(text_offsets)) {}

Evidence Fuser::weigh(std::span<float> image, std::span<float> text,
                      const TextEvidence& evidence) const {
  assert(!image.empty() && (text.empty() || text.size() == image.size()));
  Evidence result;
  add_offsets(image, image_offsets_);
  result.image = {image, fusion_.settings.image_scale,
                  summarise(image, fusion_.settings.image_scale, Exponentials::Sum)};
  expect_number(result.image.summary, "picture");
  if (text.empty()) return result;
  add_offsets(text, text_offsets_);
  const float scale = softmax_of_text_ ? fusion_.settings.text_scale : 1;
  result.text = {text, scale,
                 summarise(text, scale, softmax_of_text_ ? Exponentials::Sum : Exponentials::None)};
  expect_number(result.text->summary, "text");
  result.text_weight = fusion_.settings.text_weight(evidence);
  return result;
}

Prediction Fuser::decide(const Evidence& evidence) const {
  Prediction prediction;
  prediction.image = answer_of(evidence.image, true);
  if (evidence.text) prediction.text = answer_of(*evidence.text, softmax_of_text_);
  const Verdict verdict = fusion_.rule->decide(evidence);
  prediction.winner = verdict.winner;
  prediction.fused = verdict.answer;
  prediction.runner_up = verdict.runner_up;
  return prediction;
}

Prediction Fuser::operator()(std::span<float> image, std::span<float> text,
                             const TextEvidence& evidence) const {
  return decide(weigh(image, text, evidence));
}

Prediction Fuser::operator()(std::span<float> image, std::span<float> text,
                             const TextEvidence& evidence, std::span<float> scores) const {
  const Evidence weighed = weigh(image, text, evidence);
  fusion_.rule->scores(weighed, scores);
  return decide(weighed);
}

}  // namespace zeroshelf
