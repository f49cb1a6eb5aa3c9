#pragma once

// What classify and export share: the labels, the collection, and its predictions.

#include <filesystem>
#include <string>
#include <vector>

#include "lib/collection/collection.h"
#include "lib/fusion/fusion.h"
#include "lib/labels/labels.h"
#include "models/flags/model_flags.h"
#include "query/classify.h"
#include "query/label_flags.h"

namespace zeroshelf {

// What pictures are compared with, and how both sides decide.
struct Question {
  std::vector<Label> labels;
  LabelVectors vectors;
  Fusion fusion;
};

// Of the labels' prompts, encoded by the collection's model.
LabelVectors prompt_vectors(const Collection& collection, const std::vector<Label>& labels,
                            const ModelOptions& model);

// What the options ask: labels by prompts, with the rule and its defaults or a calibration's
// settings, or a classifier, which decides by its own `mix`.
Question question_of(const Collection& collection, const LabelOptions& options,
                     const ModelOptions& model);

struct Classified {
  std::vector<Label> labels;
  Fusion fusion;
  Collection collection;
  std::vector<Prediction> predictions;  // one a row; those of tombstones mean nothing
};

// Reads the labels, encodes them, scores the collection, and says on stderr how long that took.
Classified classify_for(const std::filesystem::path& directory, const LabelOptions& label_options,
                        const ModelOptions& model);

// "cat 12, dog 3, no answer 1" in the order of the labels; labels without pictures are left out.
std::string count_summary(const Classified& classified);

}  // namespace zeroshelf
