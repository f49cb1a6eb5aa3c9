#pragma once

// How often the predictions are right, where the truth is known.

#include <string>
#include <vector>

#include "lib/evaluation/evaluation.h"
#include "lib/labelling/classify.h"
#include "lib/labelling/truth.h"

namespace zeroshelf {

// What one prediction is worth: its answer, and the answer's score as its confidence.
CheckedAnswer checked_answer(const Prediction& prediction, uint32_t truth);

// One way of answering, by its name in what is told.
struct Way {
  std::string name;
  Labelling labelling;
};

// Every rule of fusion with the defaults for the collection's model, under the rule's name, and the
// label vectors as it takes them, see labels_for(); "text" only where pictures have text, and no
// label has pictures alone. Of labels with levels: labels and tree as a labelling has them.
std::vector<Way> every_rule(const View& collection, const std::vector<Label>& labels,
                            const LabelVectors& vectors, const LabelTree& tree = {});

// What each way answers about these pictures.
std::vector<Answers> answers_of(const View& collection, const std::vector<Way>& ways,
                                const std::vector<KnownPicture>& pictures, unsigned threads = 0);

// For labels that have levels: how often one way is right to a level, about the pictures whose true
// label is as deep. An answer that stopped above says nothing of the level.
struct LevelFigures {
  std::string way;
  uint32_t level = 1;  // the top is 1
  uint64_t pictures = 0;
  uint64_t right = 0;
  uint64_t stopped = 0;
};
// answers: those of the ways, in their order.
std::vector<LevelFigures> figures_by_level(const LabelTree& tree,
                                           const std::vector<Answers>& answers);

// Takes away the pictures that are examples of a label, which knows the answer about them; how
// many. Throws InvalidArgument where none is left.
uint64_t leave_out_examples(std::vector<KnownPicture>& pictures, const LabelVectors& labels);
// What a person is told of them.
std::string examples_note(uint64_t left_out);

struct Evaluation {
  EvaluationResult result;         // one report a way, in their order
  uint64_t pictures = 0;           // that were evaluated
  uint64_t not_in_collection = 0;  // see KnownPictures
  uint64_t without_truth = 0;
  uint64_t examples = 0;             // of labels, which were left out
  std::vector<LevelFigures> levels;  // way by way; none without levels
};

// ways: at least one. Throws what known_pictures() and classify() throw. The result does not depend
// on the number of threads.
Evaluation evaluate(const View& collection, const std::vector<Label>& labels,
                    const std::vector<Way>& ways, const Truth& truth, unsigned threads = 0);

}  // namespace zeroshelf
