#pragma once

// One picture's evidence -> one answer. Pure arithmetic.
//
// With s_I(k) = cosine(picture, label k) and s_T(k) = cosine(OCR text, label k):
//   P_I = softmax(image_scale * s_I) over the labels     (Radford et al. 2021, figure 3)
//   image   the label of the largest P_I
//   text    the label of the largest s_T; no answer without text
//   max     the label of the largest max(P_I, s_T); the picture's on a tie and without text (the
//           rule of the article that zeroshelf follows)
//   mix     the label of the largest log P_I + w log P_T, with P_T = softmax(text_scale * s_T),
//           both similarities centred, and w = alpha * g(text) the weight of this picture's text:
//           0 without text. Its score is the softmax of these sums.
// Equal scores go to the label that was named first.
//
// Centring. A label gets part of its similarity from what all pictures (or all texts) have in
// common, and how much of that differs from label to label. It is taken off by label: the offset of
// label k is -centring * cosine(mean vector of the collection, label k). A softmax alone cannot do
// this: it is blind only to what all labels of one picture share. With centring 1 the labels of an
// unbalanced collection would be pulled towards equal shares; see docs/labelling.md.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/fusion/softmax.h"
#include "lib/fusion/text_evidence.h"

namespace zeroshelf {

// What can be fitted (see `calibrate`). Every number is finite; scales, alpha and the gate's are at
// least 0, centrings 0 to 1.
struct FusionSettings {
  float image_scale = 100;  // of similarities -> logits: the inverse temperature of P_I
  // Of `mix` only:
  float text_scale = 25;        // the inverse temperature of P_T
  float alpha = 1;              // weight of a text that is read surely and long
  float confidence_power = 1;   // g = confidence ^ confidence_power
  float half_words = 1;         //     * words / (words + half_words)
  float image_centring = 0.5f;  // 0: similarities as they are; 1: the whole mean taken off
  float text_centring = 0.5f;

  // The defaults for a model whose trained scale of logits this is.
  static FusionSettings for_logit_scale(float logit_scale);

  // w of the header comment. 0 for no words.
  float text_weight(const TextEvidence& text) const;

  bool operator==(const FusionSettings&) const = default;
};

enum class Source { Image, Text };
std::string_view source_name(Source source);  // "image", "text"

struct Scored {
  uint32_t label = 0;
  float score = 0;
};

// What one side says by itself. Score: of the picture P_I, of the text s_T, or P_T where the rule
// uses that (`mix`). Margin: to that side's next label, in the same unit; the score itself when
// there is one label.
struct SideAnswer : Scored {
  float margin = 0;
};

// What a rule decides. Which side won: the one that the answer owes more to.
struct Verdict {
  std::optional<Source> winner;     // absent: no answer, and the two below mean nothing
  Scored fused;                     // the answer by the rule
  std::optional<Scored> runner_up;  // the next label by the rule; absent with one label

  const Scored& answer() const { return fused; }
  float margin() const { return runner_up ? fused.score - runner_up->score : fused.score; }
};

struct Prediction : Verdict {
  SideAnswer image;
  std::optional<SideAnswer> text;  // absent for a picture without text
};

// --- rules --------------------------------------------------------------------------------------

// One side's evidence as a rule sees it: logit(k) = scale * values[k].
struct SideEvidence {
  std::span<const float> values;  // similarity + offset, one a label
  float scale;
  // Of the logits; the sum only where the rule asked for a softmax of this side.
  const Summary& summary;
};

struct Evidence {
  const SideEvidence& image;
  const SideEvidence* text;  // null without text
  float text_weight;         // 0 without text
  // Of logit_I(k) + text_weight * logit_T(k): the picture's where there is no text or it weighs
  // nothing. Only for rules of Sides::Centred.
  const Summary& both;
};

// A rule of fusion. To add one, derive from this in rules.cc, and name it in fusion_rules(): flags,
// help, evaluation and tests take the rules from there. Rules have no state. Threads: any.
class FusionRule {
 public:
  // The similarities that a rule is shown.
  enum class Sides {
    Plain,    // as they are: a softmax of the picture's, the text's cosines
    Centred,  // both centred, and a softmax of each
  };

  virtual ~FusionRule() = default;
  virtual std::string_view name() const = 0;
  virtual std::string_view help() const = 0;  // half a line
  virtual Sides sides() const = 0;

  // Sets all of `out`, whatever it held.
  virtual void decide(const Evidence& evidence, Verdict& out) const = 0;
  // The score of every label, of which decide() answers with the largest: all 0 where it gives no
  // answer. For answers with several labels.
  virtual void scores(const Evidence& evidence, std::span<float> out) const = 0;
};

// All of them, in the order of the help.
std::span<const FusionRule* const> fusion_rules();
// Throws InvalidArgument for a name that none has, with the one that was probably meant.
const FusionRule& fusion_rule(std::string_view name);
std::vector<std::string> fusion_rule_names();

// A rule with its settings. The rule is one of fusion_rules().
struct Fusion {
  const FusionRule* rule = nullptr;
  FusionSettings settings;
};

// --- pictures -----------------------------------------------------------------------------------

// The similarities of consecutive pictures. They get the labels' offsets added in place.
struct Similarities {
  size_t labels = 0;                       // at least one
  std::span<float> image;                  // s_I [pictures, labels]
  std::span<float> text;                   // s_T [texts, labels]
  std::span<const uint64_t> text_owners;   // whose text it is, ascending
  uint64_t first_picture = 0;              // what the owners count from
  std::span<const TextEvidence> evidence;  // one a text

  size_t pictures() const { return image.size() / labels; }
};

// Threads: const calls may run together.
class Fuser {
 public:
  // Offsets: what is added to the similarities of each label, e.g. its bias less its share of the
  // mean; one a label, or empty for none.
  Fuser(const Fusion& fusion, std::vector<float> image_offsets, std::vector<float> text_offsets);

  // predictions has one element a picture; scores has one a picture and label (see
  // FusionRule::scores), or is empty. Throws Corruption when a similarity is no number.
  void operator()(const Similarities& similarities, std::span<Prediction> predictions,
                  std::span<float> scores = {}) const;

  // Of one picture; text is empty for one without text.
  Prediction operator()(std::span<float> image, std::span<float> text, const TextEvidence& evidence,
                        std::span<float> scores = {}) const;

 private:
  void fuse_group(const Similarities& group, std::span<Prediction> predictions,
                  std::span<float> scores) const;
  void decide(const Evidence& evidence, std::span<float> scores, Prediction& out) const;

  Fusion fusion_;
  bool centred_;
  std::vector<float> image_offsets_;
  std::vector<float> text_offsets_;
};

}  // namespace zeroshelf
