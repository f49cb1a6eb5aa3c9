// The rules of fusion: what each decides, and their names. Tested by tests/fusion/fusion_test.cc.

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <iterator>

#include "lib/fusion/fusion.h"
#include "lib/util/error.h"
#include "lib/util/suggest.h"

namespace zeroshelf {
namespace {

size_t label_count(const Evidence& evidence) {
  return evidence.image.values.size();
}

// The best and the second of a softmax.
Scored most_probable(const Summary& summary) {
  return {summary.best, 1 / summary.sum};
}
Scored next_probable(const Summary& summary) {
  return {summary.second, summary.second_share / summary.sum};
}

// The best and the second of cosines.
Scored nearest(const Summary& summary) {
  return {summary.best, summary.best_logit};
}
Scored next_nearest(const Summary& summary) {
  return {summary.second, summary.second_logit};
}

void probabilities(const SideEvidence& side, std::span<float> out) {
  softmax(side.values, side.scale, {}, 0, side.summary, out);
}

class ImageRule : public FusionRule {
 public:
  std::string_view name() const override { return "image"; }
  std::string_view help() const override { return "the picture alone"; }
  Sides sides() const override { return Sides::Plain; }

  void decide(const Evidence& evidence, Verdict& out) const override {
    out.winner = Source::Image;
    out.fused = most_probable(evidence.image.summary);
    out.runner_up.reset();
    if (label_count(evidence) > 1) out.runner_up = next_probable(evidence.image.summary);
  }

  void scores(const Evidence& evidence, std::span<float> out) const override {
    probabilities(evidence.image, out);
  }
};

class TextRule : public FusionRule {
 public:
  std::string_view name() const override { return "text"; }
  std::string_view help() const override { return "the text alone"; }
  Sides sides() const override { return Sides::Plain; }

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
};

class MaxRule : public FusionRule {
 public:
  std::string_view name() const override { return "max"; }
  std::string_view help() const override { return "whichever is surer"; }
  Sides sides() const override { return Sides::Plain; }

  void decide(const Evidence& evidence, Verdict& out) const override {
    const Scored image = most_probable(evidence.image.summary);
    const bool alone = label_count(evidence) == 1;
    out.winner = Source::Image;
    out.fused = image;
    out.runner_up.reset();
    if (evidence.text == nullptr) {
      if (!alone) out.runner_up = next_probable(evidence.image.summary);
      return;
    }
    const Scored text = nearest(evidence.text->summary);
    if (text.score > image.score) {
      out.winner = Source::Text;
      out.fused = text;
    }
    if (alone) return;
    // Each side's best label that is not the answer is its first or its second.
    const Scored a = image.label != out.fused.label ? image : next_probable(evidence.image.summary);
    const Scored b = text.label != out.fused.label ? text : next_nearest(evidence.text->summary);
    out.runner_up = a.score > b.score || (a.score == b.score && a.label < b.label) ? a : b;
  }

  void scores(const Evidence& evidence, std::span<float> out) const override {
    probabilities(evidence.image, out);
    if (evidence.text == nullptr) return;
    for (size_t k = 0; k < out.size(); ++k) out[k] = std::max(out[k], evidence.text->values[k]);
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

  void decide(const Evidence& evidence, Verdict& out) const override {
    const Summary& sums = evidence.both;
    out.winner = Source::Image;
    out.fused = most_probable(sums);
    out.runner_up.reset();
    if (label_count(evidence) == 1) return;
    out.runner_up = next_probable(sums);
    const auto lead = [&](const SideEvidence& side) {
      return static_cast<double>(side.scale) * (static_cast<double>(side.values[sums.best]) -
                                                static_cast<double>(side.values[sums.second]));
    };
    if (weighs_text(evidence) &&
        static_cast<double>(evidence.text_weight) * lead(*evidence.text) >
            static_cast<double>(evidence.image_weight) * lead(evidence.image))
      out.winner = Source::Text;
  }

  void scores(const Evidence& evidence, std::span<float> out) const override {
    if (!weighs_text(evidence)) return probabilities(evidence.image, out);
    softmax(evidence.image.values, evidence.image_weight * evidence.image.scale,
            evidence.text->values, evidence.text_weight * evidence.text->scale, evidence.both, out);
  }

 private:
  static bool weighs_text(const Evidence& evidence) { return evidence.text_weight > 0; }
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
