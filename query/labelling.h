#pragma once

// What classify and export share: the labels, the collection, and how its pictures are labelled.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lib/collection/collection.h"
#include "lib/fusion/fusion.h"
#include "lib/labelling/classify.h"
#include "lib/labels/labels.h"
#include "models/flags/model_flags.h"
#include "query/label_flags.h"

namespace zeroshelf {

// What pictures are compared with, and how both sides decide.
struct Question {
  std::vector<Label> labels;
  LabelVectors vectors;
  Fusion fusion;
};

// Of the labels' prompts: from the collection's cache where all of them are there, otherwise the
// model is loaded for the others, which are kept then. Throws what load_model_of throws.
LabelVectors prompt_vectors(const Collection& collection, const std::vector<Label>& labels,
                            const ModelOptions& model);

// Of the labels as the options give them: the rows of --label-vectors, scaled to unit length, or of
// their prompts. Throws what prompt_vectors and NpyReader throw; InvalidArgument, naming the file,
// unless it has one row a label, each with a direction and the collection's dimension.
LabelVectors label_vectors(const Collection& collection, const std::vector<Label>& labels,
                           const LabelOptions& options, const ModelOptions& model);

// What the options ask: labels by prompts, with the rule and its defaults or a calibration's
// settings, or a classifier, which decides by its own `mix`.
Question question_of(const Collection& collection, const LabelOptions& options,
                     const ModelOptions& model);
// Everything that an answer follows from.
struct Labelling {
  std::vector<Label> labels;
  Collection collection;
  LabelVectors vectors;
  Fusion fusion;
  std::optional<uint32_t> none;  // the label of --none
  std::optional<float> threshold;

  // Takes away an answer below the threshold, or makes it `none`.
  void settle(Prediction& prediction) const;
};

Labelling prepare_labelling(const std::filesystem::path& directory,
                            const LabelOptions& label_options, const ModelOptions& model);

// How many pictures have which label.
struct PictureCounts {
  explicit PictureCounts(size_t labels) : of_label(labels) {}

  std::vector<uint64_t> of_label;
  uint64_t unanswered = 0;

  void count(const Prediction& prediction);
  void add(const PictureCounts& other);
  uint64_t pictures() const;
  // "cat 12, dog 3, no answer 1" in the order of the labels; labels without pictures are left out.
  std::string summary(const std::vector<Label>& labels) const;
};

struct Classified {
  std::vector<Label> labels;
  Fusion fusion;
  Collection collection;
  std::vector<Prediction> predictions;  // one a row; those of tombstones mean nothing
};

// Labels the whole collection, and says on stderr how long that took.
Classified classify_for(const std::filesystem::path& directory, const LabelOptions& label_options,
                        const ModelOptions& model);
// The same of what prepare_labelling() gave; threads = 0 uses every core.
Classified classify_all(Labelling labelling, unsigned threads);

std::string count_summary(const Classified& classified);

}  // namespace zeroshelf
