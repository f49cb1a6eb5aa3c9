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

// The picture's answer, where each label is judged for itself.
void answer_alone(const SideEvidence& side, float bias, SideAnswer& out) {
  const Summary& summary = side.summary;
  out.label = summary.best;
  out.score = out.margin = sigmoid(summary.best_logit + bias);
  if (side.values.size() > 1) out.margin -= sigmoid(summary.second_logit + bias);
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
  // From true vectors of ViT-B/32 (docs/labelling.md); with one model's scale its cosines spread
  // alike for others.
  FusionSettings settings;
  settings.image_scale = 1.3f * logit_scale;
  settings.text_scale = 0.8f * logit_scale;
  settings.alpha = 1.5f;
  settings.pooling = 1;
  settings.adaptation = 5;
  return settings;
}

float FusionSettings::text_weight(const TextEvidence& text) const {
  if (is_given(text)) return alpha;
  if (text.word_count == 0 || !(text.confidence > 0)) return 0;
  const auto words = static_cast<float>(text.word_count);
  const float sure =
      confidence_power == 1 ? text.confidence : std::pow(text.confidence, confidence_power);
  return alpha * sure * words / (words + half_words);
}

std::string_view source_name(Source source) {
  return source == Source::Image ? "image" : "text";
}

Fusion Fusion::by_default(std::string_view name, float logit_scale) {
  Fusion fusion{&fusion_rule(name), FusionSettings::for_logit_scale(logit_scale)};
  if (fusion.rule->sides() == FusionRule::Sides::Plain) fusion.settings.image_scale = logit_scale;
  return fusion;
}

Fusion Fusion::for_each_label(std::string_view rule, float logit_scale, float logit_bias) {
  Fusion fusion = by_default(rule, logit_scale);
  fusion.settings.image_scale = logit_scale;
  fusion.settings.adaptation = 0;  // in which labels compete for the pictures
  fusion.sigmoid_bias = logit_bias;
  return fusion;
}

bool Fusion::adapts() const {
  return rule->sides() == FusionRule::Sides::Weighed && settings.adaptation > 0;
}

Fuser::Fuser(const Fusion& fusion, std::vector<float> image_offsets,
             std::vector<float> text_offsets, VetoColumns vetoes)
    : fusion_(fusion),
      weighed_(fusion.rule->sides() == FusionRule::Sides::Weighed),
      image_offsets_(std::move(image_offsets)),
      text_offsets_(std::move(text_offsets)),
      vetoes_(std::move(vetoes)) {}

void Fuser::decide(const Evidence& evidence, std::span<float> scores, Prediction& out) const {
  if (!scores.empty()) fusion_.rule->scores(evidence, scores);
  if (fusion_.sigmoid_bias) {
    answer_alone(evidence.image, *fusion_.sigmoid_bias, out.image);
  } else {
    answer(evidence.image, true, out.image);
  }
  out.text.reset();
  if (evidence.text != nullptr) answer(*evidence.text, weighed_, out.text.emplace());
  out.veto.reset();
  fusion_.rule->decide(evidence, out);
}

// D of the header.
float Fuser::lead_of(const Veto& veto, const Evidence& evidence, std::span<const float> image,
                     std::span<const float> text) const {
  const FusionSettings& settings = fusion_.settings;
  const bool by_text = !weighed_ && fusion_.rule->side_of(evidence, veto.label, {}) == Source::Text;
  // Where labels are judged each for itself, the picture counts whole.
  const bool is_pooled = weighed_ && !fusion_.sigmoid_bias;
  const float image_weight = by_text ? 0 : is_pooled ? evidence.image_weight : 1;
  const float text_weight = by_text ? 1 : weighed_ ? evidence.text_weight : 0;
  float lead = image_weight * settings.image_scale * (image[veto.against] - image[veto.own]);
  if (text_weight > 0 && !text.empty())
    lead += text_weight * settings.text_scale * (text[veto.against] - text[veto.own]);
  return lead;
}

namespace {

// The first two of the largest; a label that is taken has the score -infinity.
void answer_with_the_best(std::span<const float> scores, Verdict& out) {
  Scored best{0, -INFINITY};
  Scored second = best;
  for (uint32_t k = 0; k < scores.size(); ++k) {
    if (scores[k] > best.score)
      second = std::exchange(best, {k, scores[k]});
    else if (scores[k] > second.score)
      second = {k, scores[k]};
  }
  if (best.score == -INFINITY) {
    out = {};
    return;
  }
  if (best.label != out.fused.label) out.fused = best;  // to the bit, as the rule decided
  out.runner_up.reset();
  if (second.score != -INFINITY) out.runner_up = second;
}

}  // namespace

void Fuser::apply_vetoes(const Evidence& evidence, std::span<const float> image,
                         std::span<const float> text, std::span<float> scores,
                         Prediction& out) const {
  if (!out.winner) return;
  thread_local std::vector<uint32_t> taken;
  taken.clear();
  bool changes = false;
  float strongest = -INFINITY;
  const uint32_t first = out.fused.label;
  for (const Veto& veto : vetoes_.vetoes) {
    const float lead = lead_of(veto, evidence, image, text);
    if (veto.label == first && lead > strongest) {
      strongest = lead;
      out.veto = {veto.label, veto.prompt, sigmoid(lead), lead > 0};
    }
    if (!(lead > 0)) continue;
    taken.push_back(veto.label);
    changes =
        changes || veto.label == first || (out.runner_up && veto.label == out.runner_up->label);
  }
  if (taken.empty() || (!changes && scores.empty())) return;
  thread_local std::vector<float> own_scores;
  if (scores.empty()) {
    own_scores.resize(evidence.image.values.size());
    scores = own_scores;
    fusion_.rule->scores(evidence, scores);
  }
  for (const uint32_t label : taken) scores[label] = -INFINITY;
  if (!changes) return;
  answer_with_the_best(scores, out);
  if (out.winner)
    out.winner =
        fusion_.rule->side_of(evidence, out.fused.label,
                              out.runner_up ? std::optional(out.runner_up->label) : std::nullopt);
}

struct Fuser::Workspace {
  LogitRow rows[kGroup];
  Summary of_image[kGroup];
  Summary of_text[kGroup];
  Summary of_both[kGroup];
  float image_weights[kGroup];
  float text_weights[kGroup];
};

// At most kGroup pictures: what their logits sum up to, then one decision after another.
void Fuser::fuse_group(const Similarities& group, std::span<Prediction> predictions,
                       std::span<float> scores, Workspace& workspace) const {
  const FusionSettings& settings = fusion_.settings;
  const size_t labels = group.labels;
  const size_t pictures = group.pictures();
  const size_t texts = group.text_owners.size();
  const float text_scale = weighed_ ? settings.text_scale : 1;
  add_offsets(group.image, image_offsets_);
  add_offsets(group.text, text_offsets_);
  add_offsets(group.image_vetoes, vetoes_.image_offsets);
  add_offsets(group.text_vetoes, vetoes_.text_offsets);
  const size_t columns = group.image_vetoes.empty() ? 0 : vetoes_.count;

  auto& [rows, of_image, of_text, of_both, image_weights, text_weights] = workspace;
  for (size_t i = 0; i < pictures; ++i)
    rows[i] = {group.image.data() + i * labels, settings.image_scale};
  summarise({rows, pictures}, labels, Exponentials::Sum, of_image);
  for (size_t i = 0; i < texts; ++i) rows[i] = {group.text.data() + i * labels, text_scale};
  summarise({rows, texts}, labels, weighed_ ? Exponentials::Sum : Exponentials::None, of_text);
  for (size_t i = 0; i < texts; ++i) {
    const float weight = settings.text_weight(group.evidence[i]);
    image_weights[i] = 1 / (1 + settings.pooling * weight);
    text_weights[i] = weight * image_weights[i];
  }
  if (weighed_) {
    for (size_t i = 0; i < texts; ++i) {
      const uint64_t owner = group.text_owners[i] - group.first_picture;
      rows[i] = {group.image.data() + owner * labels, image_weights[i] * settings.image_scale,
                 group.text.data() + i * labels, text_weights[i] * text_scale};
    }
    summarise({rows, texts}, labels, Exponentials::Sum, of_both);
  }

  // Those with a text apart from those without: one after the other the processor could not foresee
  // which one is next.
  const auto decide_all = [&](size_t i, const SideEvidence* text_side, size_t text) {
    const std::span<float> out = scores.empty() ? scores : scores.subspan(i * labels, labels);
    expect_number(of_image[i], "picture");
    const SideEvidence image{group.image.subspan(i * labels, labels), settings.image_scale,
                             of_image[i]};
    const bool weighs = text_side != nullptr && weighed_ && text_weights[text] > 0;
    const Evidence evidence{image,
                            text_side,
                            text_side == nullptr ? 1 : image_weights[text],
                            text_side == nullptr ? 0 : text_weights[text],
                            weighs ? of_both[text] : of_image[i],
                            fusion_.sigmoid_bias};
    decide(evidence, out, predictions[i]);
    if (columns == 0) return;
    apply_vetoes(evidence, group.image_vetoes.subspan(i * columns, columns),
                 text_side == nullptr ? std::span<const float>()
                                      : group.text_vetoes.subspan(text * columns, columns),
                 out, predictions[i]);
  };
  bool has_text[kGroup] = {};
  for (size_t text = 0; text < texts; ++text) {
    const size_t owner = group.text_owners[text] - group.first_picture;
    has_text[owner] = true;
    expect_number(of_text[text], "text");
    const SideEvidence side{group.text.subspan(text * labels, labels), text_scale, of_text[text]};
    decide_all(owner, &side, text);
  }
  size_t without[kGroup];
  size_t count = 0;
  for (size_t i = 0; i < pictures; ++i) {
    without[count] = i;
    count += !has_text[i];
  }
  for (size_t i = 0; i < count; ++i) decide_all(without[i], nullptr, 0);
}

void Fuser::operator()(const Similarities& all, std::span<Prediction> predictions,
                       std::span<float> scores) const {
  assert(all.labels > 0 && all.image.size() % all.labels == 0);
  assert(predictions.size() == all.pictures());
  assert(scores.empty() || scores.size() == all.image.size());
  assert(all.text.size() == all.text_owners.size() * all.labels);
  assert(all.evidence.size() == all.text_owners.size());
  assert(all.image_vetoes.empty() ||
         (all.image_vetoes.size() == all.pictures() * vetoes_.count &&
          all.text_vetoes.size() == all.text_owners.size() * vetoes_.count));
  Workspace workspace;
  size_t text = 0;
  for (size_t first = 0; first < all.pictures(); first += kGroup) {
    const size_t count = std::min(kGroup, all.pictures() - first);
    const size_t first_text = text;
    const uint64_t end = all.first_picture + first + count;
    while (text < all.text_owners.size() && all.text_owners[text] < end) ++text;
    const size_t texts = text - first_text;
    const size_t columns = all.image_vetoes.empty() ? 0 : vetoes_.count;
    fuse_group({all.labels, all.image.subspan(first * all.labels, count * all.labels),
                all.text.subspan(first_text * all.labels, texts * all.labels),
                all.text_owners.subspan(first_text, texts), all.first_picture + first,
                all.evidence.subspan(first_text, texts),
                all.image_vetoes.subspan(first * columns, count * columns),
                all.text_vetoes.subspan(first_text * columns, texts * columns)},
               predictions.subspan(first, count),
               scores.empty() ? scores : scores.subspan(first * all.labels, count * all.labels),
               workspace);
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
