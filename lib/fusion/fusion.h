#pragma once

// One picture's evidence -> one answer. Pure arithmetic.
//
// With s_I(k) = cosine(picture, label k) and s_T(k) = cosine(OCR text, label k):
//   P_I = softmax(image_scale * s_I) over the labels     (Radford et al. 2021, figure 3)
//   image   the label of the largest P_I
//   text    the label of the largest s_T; no answer without text
//   max     the label of the largest max(P_I, s_T); the picture's on a tie and without text (the
//           rule of the article that zeroshelf follows)
//   mix     the label of the largest (log P_I + w log P_T) / (1 + pooling * w), with
//           P_T = softmax(text_scale * s_T) and w = alpha * g(text) the weight of this picture's
//           text: 0 without text. Its score is the softmax of that. With pooling 1 this is the
//           mean of both opinions (a logarithmic pool): picture and text mostly say the same thing,
//           and agreeing makes neither surer than the surer of them; with 0 they are independent.
//           Label vectors are moved towards the pictures that they attract before (adaptation, see
//           adapt_labels), and similarities may be centred.
// Equal scores go to the label that was named first.
//
// Labels that do not exclude each other (Fusion::sigmoid_bias b, of models that are trained with a
// sigmoid: Zhai et al. 2023) are each judged for itself, whatever the others are:
//   P_I(k) = 1 / (1 + exp(-(image_scale * s_I(k) + b))), in `image` and `max` in place of the softmax
//   mix      1 / (1 + exp(-(image_scale * s_I(k) + b + t(k)))), with t(k) = w / (1 + pooling * w) *
//            max(0, log(P_T(k) * labels)): a text speaks for a label, by how much more likely than a
//            guess it makes it, and never against one
//
// A veto is a prompt of what a label is not. Where, by the rule, it is nearer to a picture than the
// label's own prompts, the label is taken from that picture and the next best answer stands, with
// its own score: what the label had is nobody's. With D = the rule's logit of the veto less that of
// the label's own prompts (`image`: image_scale * (s_I(veto) - s_I(own)); `text`: the same of s_T
// with text_scale; `max`: of the side that gives the label its score; `mix`: both sides' with their
// weights) the label is taken where D > 0, and the veto's score is 1 / (1 + exp(-D)). The prompts
// are compared as they stand, also where labels are adapted, so a veto depends on no other label.
//
// Centring takes off what a label owes to what all pictures (or all texts) of the collection have
// in common: the offset of label k is -centring * cosine(mean vector of the collection, label k).
// It knows nothing of how frequent labels are and takes a frequent one for a bias, so it is 0
// unless it was fitted; see docs/labelling.md.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/fusion/softmax.h"
#include "lib/fusion/text_evidence.h"

namespace zeroshelf {

// Whether a text was not read but given: imported, as a vector alone or with words of confidence 1.
// OCR is never wholly sure, and keeps no word without confidence: one with 0 is how a vector alone
// was written at first.
inline bool is_given(const TextEvidence& text) {
  return text.word_count > 0 &&
         (text.confidence >= 1 || (text.word_count == 1 && text.confidence == 0));
}

// What can be fitted (see `calibrate`). Every number is finite; scales, alpha, adaptation and the
// gate's are at least 0, centrings and pooling 0 to 1.
struct FusionSettings {
  float image_scale = 100;  // of similarities -> logits: the inverse temperature of P_I
  // For `mix` only:
  float text_scale = 25;       // the inverse temperature of P_T
  float alpha = 1;             // weight of a text that is given, or read surely and long
  float confidence_power = 1;  // g = confidence ^ confidence_power
  float half_words = 1;        //     * words / (words + half_words); 1 for a text that is given
  float image_centring = 0;    // 0: similarities as they are; 1: the whole mean taken off
  float text_centring = 0;
  float pooling = 0;
  float adaptation = 0;  // how far labels are moved; 0: not at all

  // The defaults of `mix` for a model whose trained scale of logits this is.
  static FusionSettings for_logit_scale(float logit_scale);

  // w of the header comment.
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

// A veto against the label that would be the answer: how much nearer the picture is to it than to
// the label's own prompts.
struct Vetoed {
  uint32_t label = 0;
  uint32_t prompt = 0;  // its place among the label's prompts
  float score = 0;      // the probability of the veto between the two
  bool taken = false;   // the label was taken from the picture: the score is above one half
};

struct Prediction : Verdict {
  SideAnswer image;
  std::optional<SideAnswer> text;  // absent for a picture without text
  // The strongest one against the label that the rule puts first, whether it took it or not; absent
  // where that label has none, or there is no answer to take.
  std::optional<Vetoed> veto;
};

// --- rules --------------------------------------------------------------------------------------

// One side's evidence as a rule sees it: logit(k) = scale * values[k].
struct SideEvidence {
  std::span<const float> values;  // similarity + offset, one a label
  float scale;
  // Summary of the logits; its sum only where the rule asked for a softmax of this side.
  const Summary& summary;
};

struct Evidence {
  const SideEvidence& image;
  const SideEvidence* text;  // null without text
  float image_weight;        // 1 / (1 + pooling * w)
  float text_weight;         // w / (1 + pooling * w); 0 without text
  // Summary of image_weight * logit_I(k) + text_weight * logit_T(k): the picture's without a text
  // or it weighs nothing. Only for rules of Sides::Weighed.
  const Summary& both;
  std::optional<float> sigmoid_bias = {};
};

// A rule of fusion. To add one, derive from this in rules.cc, and name it in fusion_rules(): flags,
// help, evaluation and tests take the rules from there. Rules have no state. Threads: any.
class FusionRule {
 public:
  // The similarities that a rule is shown.
  enum class Sides {
    Plain,    // as they are: a softmax of the picture's, the text's cosines
    Weighed,  // with adapted labels, centred as the settings say, and a softmax of each
  };

  virtual ~FusionRule() = default;
  virtual std::string_view name() const = 0;
  virtual std::string_view help() const = 0;  // half a line
  virtual Sides sides() const = 0;
  // Whether the scores of all labels add up to 1, unless each is judged for itself.
  virtual bool scores_add_up() const = 0;

  // Sets all of `out`, whatever it held.
  virtual void decide(const Evidence& evidence, Verdict& out) const = 0;
  // The score of every label, of which decide() answers with the largest: all 0 where it gives no
  // answer. For answers with several labels.
  virtual void scores(const Evidence& evidence, std::span<float> out) const = 0;
  // The side to which the label would owe more if it were the answer before the next one.
  virtual Source side_of(const Evidence& evidence, uint32_t label,
                         std::optional<uint32_t> next) const = 0;
};

// All of them, in the order of the help.
std::span<const FusionRule* const> fusion_rules();
// Throws InvalidArgument for a name that none has, with the one that was probably meant.
const FusionRule& fusion_rule(std::string_view name);
std::vector<std::string> fusion_rule_names();

// The rule that answers where none was asked for.
inline constexpr std::string_view kDefaultRule = "mix";

// A rule with its settings. The rule is one of fusion_rules().
struct Fusion {
  const FusionRule* rule = nullptr;
  FusionSettings settings;

  // Labels are judged each for itself by the sigmoid of the header comment; absent: they exclude
  // each other.
  std::optional<float> sigmoid_bias = {};

  // The rule of that name (see fusion_rule) with its defaults for a model of that logit scale.
  static Fusion by_default(std::string_view rule, float logit_scale);
  // The same for labels that are judged each for itself: the model's own scale and bias, and labels
  // that stay where they are.
  static Fusion for_each_label(std::string_view rule, float logit_scale, float logit_bias);
  // Whether label vectors are moved towards the pictures that they attract.
  bool adapts() const;
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
  // Similarities of the columns that vetoes are about, [pictures, columns] and [texts, columns];
  // without them there are no vetoes.
  std::span<float> image_vetoes = {};
  std::span<float> text_vetoes = {};

  size_t pictures() const { return image.size() / labels; }
};

// A veto: which columns of the vetoes' similarities are compared.
struct Veto {
  uint32_t label = 0;
  uint32_t prompt = 0;   // its place among the label's prompts
  uint32_t own = 0;      // the column of the label's own prompts
  uint32_t against = 0;  // the veto's
};

struct VetoColumns {
  std::vector<Veto> vetoes;  // those of a label together
  size_t count = 0;          // of columns
  std::vector<float> image_offsets;  // one a column, or empty for none
  std::vector<float> text_offsets;
};

// Threads: const calls may run together.
class Fuser {
 public:
  // Offsets: what is added to the similarities of each label, e.g. its bias less its share of the
  // mean; one a label, or empty for none.
  Fuser(const Fusion& fusion, std::vector<float> image_offsets, std::vector<float> text_offsets,
        VetoColumns vetoes = {});

  // predictions has one element a picture; scores has one a picture and label (see
  // FusionRule::scores; of a label that a veto took -infinity), or is empty. Throws Corruption when a similarity is no number.
  void operator()(const Similarities& similarities, std::span<Prediction> predictions,
                  std::span<float> scores = {}) const;

  // Answers for one picture; text is empty for one without text.
  Prediction operator()(std::span<float> image, std::span<float> text, const TextEvidence& evidence,
                        std::span<float> scores = {}) const;

 private:
  struct Workspace;  // of one call
  void fuse_group(const Similarities& group, std::span<Prediction> predictions,
                  std::span<float> scores, Workspace& workspace) const;
  void decide(const Evidence& evidence, std::span<float> scores, Prediction& out) const;
  float lead_of(const Veto& veto, const Evidence& evidence, std::span<const float> image,
                std::span<const float> text) const;
  void apply_vetoes(const Evidence& evidence, std::span<const float> image,
                    std::span<const float> text, std::span<float> scores, Prediction& out) const;

  Fusion fusion_;
  bool weighed_;
  std::vector<float> image_offsets_;
  std::vector<float> text_offsets_;
  VetoColumns vetoes_;
};

}  // namespace zeroshelf
