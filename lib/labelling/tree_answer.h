#pragma once

// One picture's answer among labels that have levels.
//
// A place's score is the sum of its own and of those of all labels below it where scores are
// probabilities of labels that exclude each other, and the largest of them otherwise. From the top
// the answer goes to the best place of a level, and on to the best below it as long as that has
// the least score; so it stops where it is sure. A place that is a label itself stays the answer
// where its own score is above all those below it.

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "lib/fusion/fusion.h"
#include "lib/labels/label_tree.h"

namespace zeroshelf {

// Threads: const calls may run together.
class TreeAnswers {
 public:
  struct Options {
    bool adds_up = true;           // scores are probabilities that exclude each other
    float least = 0x1.000002p-1f;  // of what lies below the top: more likely than not
    uint32_t depth = std::numeric_limits<uint32_t>::max();  // the answer's largest
  };

  // Not of an empty tree.
  TreeAnswers(const LabelTree& tree, const Options& options);

  size_t labels() const { return labels_; }
  size_t places() const { return parents_.size(); }

  // scores: of the labels, -infinity of those that were taken. Sets `places`, one a place, to their
  // scores, and the prediction's answer and runner-up: the next best of the answer's level, or of
  // the next one above that has another. A prediction without an answer stays without.
  void operator()(std::span<const float> scores, std::span<float> places,
                  Prediction& prediction) const;

 private:
  void add_up(std::span<const float> scores, std::span<float> places) const;

  static constexpr uint32_t kTop = std::numeric_limits<uint32_t>::max();

  Options options_;
  size_t labels_;
  std::vector<uint32_t> parents_;                // kTop at the top
  std::vector<uint32_t> deepest_first_;          // all places
  std::vector<std::vector<uint32_t>> children_;  // of each place, ascending
  std::vector<uint32_t> top_;
};

}  // namespace zeroshelf
