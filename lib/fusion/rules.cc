// The rules of fusion: what each decides, and their names. Tested by tests/fusion/fusion_test.cc.

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iterator>
#include <utility>

#include "lib/fusion/fusion.h"
#include "lib/util/error.h"
#include "lib/util/suggest.h"

namespace zeroshelf {
namespace {

size_t label_count(const Evidence& evidence) {
  return evidence.image.values.size();
}

// The best and the second, of a softmax or each for itself.
Scored most_probable(const Summary& summary, std::optional<float> sigmoid_bias) {
  return {summary.best,
          sigmoid_bias ? sigmoid(summary.best_logit + *sigmoid_bias) : 1 / summary.sum};
}
Scored next_probable(const Summary& summary, std::optional<float> sigmoid_bias) {
  return {summary.second, sigmoid_bias ? sigmoid(summary.second_logit + *sigmoid_bias)
                                       : summary.second_share / summary.sum};
}
Scored most_probable(const Evidence& evidence) {
  return most_probable(evidence.image.summary, evidence.sigmoid_bias);
}
Scored next_probable(const Evidence& evidence) {
  return next_probable(evidence.image.summary, evidence.sigmoid_bias);
}

// The best and the second of cosines.
Scored nearest(const Summary& summary) {
  return {summary.best, summary.best_logit};
}
Scored next_nearest(const Summary& summary) {
  return {summary.second, summary.second_logit};
}

// A label's, by the picture.
float probability(const Evidence& evidence, uint32_t label) {
  const SideEvidence& side = evidence.image;
  const float logit = side.scale * side.values[label];
  return evidence.sigmoid_bias ? sigmoid(logit + *evidence.sigmoid_bias)
                               : std::exp(logit - side.summary.best_logit) / side.summary.sum;
}

// Every label's, by the picture.
void probabilities(const Evidence& evidence, std::span<float> out) {
  const SideEvidence& side = evidence.image;
  if (!evidence.sigmoid_bias) return softmax(side.values, side.scale, {}, 0, side.summary, out);
  for (size_t k = 0; k < out.size(); ++k)
    out[k] = sigmoid(side.scale * side.values[k] + *evidence.sigmoid_bias);
}

class ImageRule : public FusionRule {
 public:
  std::string_view name() const override { return "image"; }
  std::string_view help() const override { return "the picture alone"; }
  Sides sides() const override { return Sides::Plain; }
  bool scores_add_up() const override { return true; }

  void decide(const Evidence& evidence, Verdict& out) const override {
    out.winner = Source::Image;
    out.fused = most_probable(evidence);
    out.runner_up.reset();
    if (label_count(evidence) > 1) out.runner_up = next_probable(evidence);
  }

  void scores(const Evidence& evidence, std::span<float> out) const override {
    probabilities(evidence, out);
  }

  Source side_of(const Evidence&, uint32_t, std::optional<uint32_t>) const override {
    return Source::Image;
  }
};

class TextRule : public FusionRule {
 public:
  std::string_view name() const override { return "text"; }
  std::string_view help() const override { return "the text alone"; }
  Sides sides() const override { return Sides::Plain; }
  bool scores_add_up() const override { return false; }

  void decide(const Evidence& evidence, Verdict& out) const override {
    if (evidence.text == nullptr) {
      out = {};
      return;
    }
    out.winner = Source::Text;
    out.fused = nearest(evidence.text->summary);
    out.runner_up.reset();
    if (label_count(evidence) > 1) out.runner_up = next_nearest(evidence.text->summary);
  }

  void scores(const Evidence& evidence, std::span<float> out) const override {
    if (evidence.text != nullptr) {
      std::ranges::copy(evidence.text->values, out.begin());
    } else {
      std::ranges::fill(out, 0.0f);
    }
  }

  Source side_of(const Evidence&, uint32_t, std::optional<uint32_t>) const override {
    return Source::Text;
  }
};

class MaxRule : public FusionRule {
 public:
  std::string_view name() const override { return "max"; }
  std::string_view help() const override { return "whichever is surer"; }
  Sides sides() const override { return Sides::Plain; }
  bool scores_add_up() const override { return false; }

  void decide(const Evidence& evidence, Verdict& out) const override {
    const Scored image = most_probable(evidence);
    const bool alone = label_count(evidence) == 1;
    out.winner = Source::Image;
    out.fused = image;
    out.runner_up.reset();
    if (evidence.text == nullptr) {
      if (!alone) out.runner_up = next_probable(evidence);
      return;
    }
    const Scored text = nearest(evidence.text->summary);
    if (text.score > image.score) {
      out.winner = Source::Text;
      out.fused = text;
    }
    if (alone) return;
    // Each side's best label that is not the answer is its first or its second.
    const Scored a = image.label != out.fused.label ? image : next_probable(evidence);
    const Scored b = text.label != out.fused.label ? text : next_nearest(evidence.text->summary);
    out.runner_up = a.score > b.score || (a.score == b.score && a.label < b.label) ? a : b;
  }

  void scores(const Evidence& evidence, std::span<float> out) const override {
    probabilities(evidence, out);
    if (evidence.text == nullptr) return;
    for (size_t k = 0; k < out.size(); ++k) out[k] = std::max(out[k], evidence.text->values[k]);
  }

  Source side_of(const Evidence& evidence, uint32_t label,
                 std::optional<uint32_t>) const override {
    return evidence.text != nullptr && evidence.text->values[label] > probability(evidence, label)
               ? Source::Text
               : Source::Image;
  }
};

// A sum of log-probabilities is, up to what all labels share, one of logits: one softmax of that.
class MixRule : public FusionRule {
 public:
  std::string_view name() const override { return "mix"; }
  std::string_view help() const override {
    return "combines both; text counts more the more surely it was read";
  }
  Sides sides() const override { return Sides::Weighed; }
  bool scores_add_up() const override { return true; }

  void decide(const Evidence& evidence, Verdict& out) const override {
    if (evidence.sigmoid_bias) return decide_alone(evidence, out);
    const Summary& sums = evidence.both;
    out.winner = Source::Image;
    out.fused = most_probable(sums, {});
    out.runner_up.reset();
    if (label_count(evidence) == 1) return;
    out.runner_up = next_probable(sums, {});
    out.winner = side_of(evidence, sums.best, sums.second);
  }

  void scores(const Evidence& evidence, std::span<float> out) const override {
    if (!weighs_text(evidence)) return probabilities(evidence, out);
    if (evidence.sigmoid_bias) {
      for (size_t k = 0; k < out.size(); ++k) out[k] = sigmoid(logit_alone(evidence, k));
      return;
    }
    softmax(evidence.image.values, evidence.image_weight * evidence.image.scale,
            evidence.text->values, evidence.text_weight * evidence.text->scale, evidence.both, out);
  }

  Source side_of(const Evidence& evidence, uint32_t label,
                 std::optional<uint32_t> next) const override {
    if (evidence.sigmoid_bias) return side_alone(evidence, label, next);
    if (!next || !weighs_text(evidence)) return Source::Image;
    const auto lead = [&](const SideEvidence& side) {
      return static_cast<double>(side.scale) * (static_cast<double>(side.values[label]) -
                                                static_cast<double>(side.values[*next]));
    };
    return static_cast<double>(evidence.text_weight) * lead(*evidence.text) >
                   static_cast<double>(evidence.image_weight) * lead(evidence.image)
               ? Source::Text
               : Source::Image;
  }

 private:
  static bool weighs_text(const Evidence& evidence) { return evidence.text_weight > 0; }

  // t(k) of the header.
  static float told_by_text(const Evidence& evidence, size_t k) {
    if (!weighs_text(evidence)) return 0;
    const SideEvidence& text = *evidence.text;
    const float log_share =
        text.scale * text.values[k] - text.summary.best_logit - std::log(text.summary.sum);
    const auto labels = static_cast<float>(label_count(evidence));
    return evidence.text_weight * std::max(0.0f, log_share + std::log(labels));
  }

  static float logit_alone(const Evidence& evidence, size_t k) {
    return evidence.image.scale * evidence.image.values[k] + *evidence.sigmoid_bias +
           told_by_text(evidence, k);
  }

  static void decide_alone(const Evidence& evidence, Verdict& out) {
    Scored best{0, -INFINITY};
    Scored second = best;
    for (uint32_t k = 0; k < label_count(evidence); ++k) {
      const float logit = logit_alone(evidence, k);
      if (logit > best.score) second = std::exchange(best, {k, logit});
      else if (logit > second.score) second = {k, logit};
    }
    out.fused = {best.label, sigmoid(best.score)};
    out.runner_up.reset();
    std::optional<uint32_t> next;
    if (label_count(evidence) > 1) {
      out.runner_up = {second.label, sigmoid(second.score)};
      next = second.label;
    }
    out.winner = side_alone(evidence, best.label, next);
  }

  // Without the text, would it still be the answer by as much again?
  static Source side_alone(const Evidence& evidence, uint32_t label,
                           std::optional<uint32_t> next) {
    float lead = told_by_text(evidence, label);
    float whole = logit_alone(evidence, label);
    if (next) {
      lead -= told_by_text(evidence, *next);
      whole -= logit_alone(evidence, *next);
    }
    return lead > 0 && 2 * lead > whole ? Source::Text : Source::Image;
  }
};

const MaxRule kMax;
const MixRule kMix;
const ImageRule kImage;
const TextRule kText;
const FusionRule* const kRules[] = {&kMix, &kMax, &kImage, &kText};

}  // namespace

std::span<const FusionRule* const> fusion_rules() {
  return kRules;
}

std::vector<std::string> fusion_rule_names() {
  std::vector<std::string> names;
  for (const FusionRule* rule : kRules) names.emplace_back(rule->name());
  return names;
}

const FusionRule& fusion_rule(std::string_view name) {
  for (const FusionRule* rule : kRules) {
    if (rule->name() == name) return *rule;
  }
  const std::vector<std::string> names = fusion_rule_names();
  throw Error(ErrorCode::InvalidArgument, "--fusion",
              "no rule is called '" + std::string(name) + "'" + did_you_mean(name, names),
              fmt::format("use {}", fmt::join(names, ", ")));
}

}  // namespace zeroshelf
