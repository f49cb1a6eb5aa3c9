// Fusion of picture and text evidence. Tested by tests/fusion/fusion_test.cc.

#include "lib/fusion/fusion.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "lib/util/error.h"

namespace zeroshelf {
namespace {

// Pictures whose summaries lie on the stack together.
constexpr size_t kGroup = 64;

// Written in place, field by field: reading whole what has just been written in parts stalls the
// processor, and this runs once a picture.
void answer(const SideEvidence& side, bool probability, SideAnswer& out) {
  const Summary& summary = side.summary;
  out.label = summary.best;
  out.score = probability ? 1 / summary.sum : summary.best_logit;
  out.margin = out.score;
  if (side.values.size() == 1) return;
  out.margin = probability ? out.score * (1 - summary.second_share)
                           : summary.best_logit - summary.second_logit;
}

// values: [rows, offsets].
void add_offsets(std::span<float> values, const std::vector<float>& offsets) {
  if (offsets.empty()) return;
  assert(values.size() % offsets.size() == 0);
  for (float* row = values.data(); row != values.data() + values.size(); row += offsets.size()) {
    for (size_t k = 0; k < offsets.size(); ++k) row[k] += offsets[k];
  }
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
      centred_(fusion.rule->sides() == FusionRule::Sides::Centred),
      image_offsets_(std::move(image_offsets)),
      text_offsets_(std::move(text_offsets)) {}

void Fuser::decide(const Evidence& evidence, std::span<float> scores, Prediction& out) const {
  if (!scores.empty()) fusion_.rule->scores(evidence, scores);
  answer(evidence.image, true, out.image);
  out.text.reset();
  if (evidence.text != nullptr) answer(*evidence.text, centred_, out.text.emplace());
  fusion_.rule->decide(evidence, out);
}

// At most kGroup pictures: what their logits sum up to, then one decision after another.
void Fuser::fuse_group(const Similarities& group, std::span<Prediction> predictions,
                       std::span<float> scores) const {
  const FusionSettings& settings = fusion_.settings;
  const size_t labels = group.labels;
  const size_t pictures = group.pictures();
  const size_t texts = group.text_owners.size();
  const float text_scale = centred_ ? settings.text_scale : 1;
  add_offsets(group.image, image_offsets_);
  add_offsets(group.text, text_offsets_);

  LogitRow rows[kGroup];
  Summary of_image[kGroup];
  Summary of_text[kGroup];
  Summary of_both[kGroup];
  float weights[kGroup];
  for (size_t i = 0; i < pictures; ++i) rows[i] = {group.image.data() + i * labels};
  summarise({rows, pictures}, settings.image_scale, labels, Exponentials::Sum, of_image);
  for (size_t i = 0; i < texts; ++i) rows[i] = {group.text.data() + i * labels};
  summarise({rows, texts}, text_scale, labels, centred_ ? Exponentials::Sum : Exponentials::None,
            of_text);
  for (size_t i = 0; i < texts; ++i) weights[i] = settings.text_weight(group.evidence[i]);
  if (centred_) {
    for (size_t i = 0; i < texts; ++i) {
      const uint64_t owner = group.text_owners[i] - group.first_picture;
      rows[i] = {group.image.data() + owner * labels, group.text.data() + i * labels,
                 weights[i] * text_scale};
    }
    summarise({rows, texts}, settings.image_scale, labels, Exponentials::Sum, of_both);
  }

  size_t text = 0;
  for (size_t i = 0; i < pictures; ++i) {
    const bool has_text = text < texts && group.text_owners[text] == group.first_picture + i;
    const std::span<float> out = scores.empty() ? scores : scores.subspan(i * labels, labels);
    expect_number(of_image[i], "picture");
    const SideEvidence image{group.image.subspan(i * labels, labels), settings.image_scale,
                             of_image[i]};
    if (!has_text) {
      decide({image, nullptr, 0, of_image[i]}, out, predictions[i]);
      continue;
    }
    expect_number(of_text[text], "text");
    const SideEvidence side{group.text.subspan(text * labels, labels), text_scale, of_text[text]};
    const bool weighs = centred_ && weights[text] > 0;
    decide({image, &side, weights[text], weighs ? of_both[text] : of_image[i]}, out,
           predictions[i]);
    ++text;
  }
}

void Fuser::operator()(const Similarities& all, std::span<Prediction> predictions,
                       std::span<float> scores) const {
  assert(all.labels > 0 && all.image.size() % all.labels == 0);
  assert(predictions.size() == all.pictures());
  assert(scores.empty() || scores.size() == all.image.size());
  assert(all.text.size() == all.text_owners.size() * all.labels);
  assert(all.evidence.size() == all.text_owners.size());
  size_t text = 0;
  for (size_t first = 0; first < all.pictures(); first += kGroup) {
    const size_t count = std::min(kGroup, all.pictures() - first);
    const size_t first_text = text;
    const uint64_t end = all.first_picture + first + count;
    while (text < all.text_owners.size() && all.text_owners[text] < end) ++text;
    const size_t texts = text - first_text;
    fuse_group({all.labels, all.image.subspan(first * all.labels, count * all.labels),
                all.text.subspan(first_text * all.labels, texts * all.labels),
                all.text_owners.subspan(first_text, texts), all.first_picture + first,
                all.evidence.subspan(first_text, texts)},
               predictions.subspan(first, count),
               scores.empty() ? scores : scores.subspan(first * all.labels, count * all.labels));
  }
}

Prediction Fuser::operator()(std::span<float> image, std::span<float> text,
                             const TextEvidence& evidence, std::span<float> scores) const {
  const uint64_t owner = 0;
  const size_t texts = text.empty() ? 0 : 1;
  Prediction prediction;
  (*this)({image.size(), image, text, {&owner, texts}, owner, {&evidence, texts}}, {&prediction, 1},
          scores);
  return prediction;
}

}  // namespace zeroshelf
