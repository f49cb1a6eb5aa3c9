// Fusion of picture and text evidence. Tested by tests/fusion/fusion_test.cc.

#include "lib/fusion/fusion.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <string>

#include "lib/util/error.h"

namespace zeroshelf {
namespace {

SideAnswer largest(std::span<const float> similarities) {
  const auto best = std::max_element(similarities.begin(), similarities.end());
  return {static_cast<uint32_t>(best - similarities.begin()), *best};
}

// The largest similarity and its softmax probability: 1 / sum exp(scale * (s - s_max)).
SideAnswer most_probable(std::span<const float> similarities, float logit_scale) {
  const SideAnswer best = largest(similarities);
  double sum = 0;
  for (float similarity : similarities) {
    sum +=
        std::exp(static_cast<double>(logit_scale) * (static_cast<double>(similarity) - best.score));
  }
  return {best.label, static_cast<float>(1 / sum)};
}

std::optional<Source> winner_of(FusionRule rule, const SideAnswer& image,
                                const std::optional<SideAnswer>& text) {
  switch (rule) {
    case FusionRule::Image:
      return Source::Image;
    case FusionRule::Text:
      return text ? std::optional(Source::Text) : std::nullopt;
    case FusionRule::Max:
      return text && text->score > image.score ? Source::Text : Source::Image;
  }
  return std::nullopt;
}

}  // namespace

FusionRule parse_fusion_rule(std::string_view name) {
  if (name == "image") return FusionRule::Image;
  if (name == "text") return FusionRule::Text;
  if (name == "max") return FusionRule::Max;
  throw Error(ErrorCode::InvalidArgument, "--fusion",
              "no rule is called '" + std::string(name) + "'", "use image, text or max");
}

std::string_view source_name(Source source) {
  return source == Source::Image ? "image" : "text";
}

Prediction fuse(FusionRule rule, std::span<const float> image_similarities,
                std::span<const float> text_similarities, float logit_scale) {
  assert(!image_similarities.empty());
  assert(text_similarities.empty() || text_similarities.size() == image_similarities.size());
  Prediction prediction;
  prediction.image = most_probable(image_similarities, logit_scale);
  if (!text_similarities.empty()) prediction.text = largest(text_similarities);
  prediction.winner = winner_of(rule, prediction.image, prediction.text);
  return prediction;
}

}  // namespace zeroshelf
