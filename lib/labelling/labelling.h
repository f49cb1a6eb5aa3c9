#pragma once

// What somebody asks for -> what pictures are labelled with.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lib/collection/view.h"
#include "lib/encoder/encoder_source.h"
#include "lib/labelling/classify.h"
#include "lib/labels/labels.h"

namespace zeroshelf {

// More likely than not.
inline constexpr float kFits = 0.5f;
// From which score on a picture has a label beside others, where no threshold is given.
inline constexpr float kMultiThreshold = 0.1f;

struct LabellingRequest {
  std::vector<Label> labels;      // with their prompts; ignored with a classifier
  std::filesystem::path vectors;  // .npy, one row a label, then one a veto, in place of prompts
  std::string fusion = std::string(kDefaultRule);  // the rule's name
  std::string calibration;        // a kept one, in place of fusion: decides by `mix`
  std::string classifier;         // a kept one, in place of labels: decides by its own `mix`
  bool last_is_none = false;      // the last label stands for "none of these"
  bool none_has_own_prompts = false;
  bool several = false;           // a picture may have several labels
  std::optional<float> threshold;
  Slash slash = Slash::Level;     // of the labels' names; a classifier's have no levels
  std::optional<uint32_t> depth;  // of answers among labels that have levels, at least 1
};

// The vectors of the labels: the rows of the file, scaled to unit length, or those of their prompts
// and vetoes, with the pictures among these (see example_pictures.h). Throws what prompt_vectors,
// NpyReader and examples_by_path throw; InvalidArgument, naming the file, unless it has one row a
// label that has a text and then one a veto that is a text, each with a direction and the
// collection's dimension.
LabelVectors label_vectors(const View& collection, const LabellingRequest& request,
                           EncoderSource& encoders);

// Several labels, a threshold and "none of these" ask whether a label fits, not which fits best. A
// model with a sigmoid knows: there each label is judged for itself, and without prompts of its own
// "none" is what no label fits with the threshold's probability, or with kFits.
// Throws what label_vectors does, InvalidArgument for an unknown rule, and what loading a kept
// calibration or classifier throws.
Labelling make_labelling(const View& collection, const LabellingRequest& request,
                         EncoderSource& encoders);

// The same by these settings in place of the calibration that request names.
Labelling make_labelling(const View& collection, const LabellingRequest& request,
                         EncoderSource& encoders, const FusionSettings& calibration);

// With levels a threshold says also how far down an answer goes, without one kFits.
// What of its threshold a labelling follows from, beside that answers below it are taken away: who
// keeps answers may apply another threshold to them where that is nothing, or the same.
enum class ThresholdBearing { None, WhetherGiven, Value };
ThresholdBearing threshold_bearing(const Manifest& manifest, const LabellingRequest& request);

// How the answers come about, for people: "mix", "mix, calibration mine", "classifier pets".
std::string way_name(const LabellingRequest& request);

// The unit vectors of texts, [texts, dimension].
using EncodePrompts = std::function<Matrix(const std::vector<std::string>&)>;

// The same with vectors from elsewhere, e.g. from memory, and pictures of the collection by their
// rows alone: no file is read. request.vectors must be empty.
LabelVectors label_vectors(const View& collection, const LabellingRequest& request,
                           const EncodePrompts& encode);
Labelling make_labelling(const View& collection, const LabellingRequest& request,
                         const EncodePrompts& encode);

}  // namespace zeroshelf
