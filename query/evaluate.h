#pragma once

// How often the predictions are right, where the truth is known.

#include <vector>

#include "lib/judging/evaluation.h"
#include "query/classify.h"
#include "query/truth.h"

namespace zeroshelf {

// What one prediction is worth: its answer, and the answer's score as its confidence.
Judgement judgement_of(const Prediction& prediction, uint32_t truth);

struct Evaluation {
  std::vector<std::string> rules;  // image, text, max, ...
  Judged judged;                   // reports in the order of the rules
  uint64_t pictures = 0;           // that were judged
  uint64_t not_in_collection = 0;  // see KnownPictures
  uint64_t without_truth = 0;
};

// label_vectors: as classify() takes them. Throws what known_pictures() throws. The result does not
// depend on the number of threads.
Evaluation evaluate(const Collection& collection, const std::vector<Label>& labels,
                    const LabelVectors& label_vectors, const Truth& truth, unsigned threads = 0);

}  // namespace zeroshelf
