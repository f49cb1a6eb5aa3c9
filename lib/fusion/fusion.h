#pragma once

// One picture's evidence -> one answer. Pure arithmetic.
//
// With s_I(k) = cosine(picture, label k) and s_T(k) = cosine(OCR text, label k):
//   P_I = softmax(logit_scale * s_I) over the labels     (Radford et al. 2021, figure 3)
//   image   the label of the largest P_I; its score is P_I
//   text    the label of the largest s_T; its score is s_T; no answer without text
//   max     the answer of `image` or of `text`, whichever has the larger score; the picture's on a
//           tie and without text (the rule of the article that zeroshelf follows)
// Equal scores go to the label that was named first.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace zeroshelf {

enum class FusionRule { Image, Text, Max };
enum class Source { Image, Text };

// "image", "text", "max". Throws InvalidArgument for any other name.
FusionRule parse_fusion_rule(std::string_view name);
std::string_view source_name(Source source);

// What one side says by itself.
struct SideAnswer {
  uint32_t label = 0;
  float score = 0;  // image: a probability, 0 to 1; text: a cosine, -1 to 1
};

struct Prediction {
  SideAnswer image;
  std::optional<SideAnswer> text;  // absent for a picture without text
  std::optional<Source> winner;    // absent: the rule gives no answer (text alone, without text)

  // The winner's answer. Only with a winner.
  const SideAnswer& answer() const { return *winner == Source::Image ? image : *text; }
};

// image_similarities: s_I for each label, at least one. text_similarities: s_T for each label, or
// empty for a picture without text. All finite.
Prediction fuse(FusionRule rule, std::span<const float> image_similarities,
                std::span<const float> text_similarities, float logit_scale);

}  // namespace zeroshelf
