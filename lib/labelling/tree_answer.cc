// Tested by tests/labelling/tree_answer_test.cc.

#include "lib/labelling/tree_answer.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <optional>

namespace zeroshelf {
namespace {

constexpr float kTaken = -std::numeric_limits<float>::infinity();

// The best and the next best of some places; the first named wins ties. Both may be absent.
struct BestTwo {
  std::optional<Scored> best;
  std::optional<Scored> next;

  void see(const Scored& one) {
    if (one.score == kTaken) return;
    if (!best || one.score > best->score) {
      next = best;
      best = one;
    } else if (!next || one.score > next->score) {
      next = one;
    }
  }
};

}  // namespace

TreeAnswers::TreeAnswers(const LabelTree& tree, const Options& options)
    : options_(options),
      labels_(tree.places.size() - tree.nodes.size()),
      children_(tree.places.size()) {
  assert(!tree.empty());
  for (uint32_t place = 0; place < tree.places.size(); ++place) {
    const auto& parent = tree.places[place].parent;
    parents_.push_back(parent.value_or(kTop));
    (parent ? children_[*parent] : top_).push_back(place);
    deepest_first_.push_back(place);
  }
  std::ranges::stable_sort(deepest_first_, std::ranges::greater(),
                           [&](uint32_t place) { return tree.places[place].depth; });
}

void TreeAnswers::add_up(std::span<const float> scores, std::span<float> places) const {
  for (size_t place = 0; place < places.size(); ++place)
    places[place] = place < labels_ ? scores[place] : kTaken;
  for (const uint32_t place : deepest_first_) {
    const uint32_t parent = parents_[place];
    if (parent == kTop || places[place] == kTaken) continue;
    float& sum = places[parent];
    if (sum == kTaken || !options_.adds_up) {
      sum = std::max(sum, places[place]);
    } else {
      sum = std::min(1.0f, sum + places[place]);
    }
  }
}

void TreeAnswers::operator()(std::span<const float> scores, std::span<float> places,
                             Prediction& prediction) const {
  assert(scores.size() == labels_ && places.size() == parents_.size());
  add_up(scores, places);
  if (!prediction.winner) return;
  std::optional<Scored> answer;
  std::optional<Scored> beside;
  std::span<const uint32_t> level = top_;
  for (uint32_t depth = 1; !level.empty() && depth <= options_.depth; ++depth) {
    BestTwo here;
    for (const uint32_t place : level) here.see({place, places[place]});
    if (!here.best) break;
    const bool own_is_better =
        answer && answer->label < labels_ && scores[answer->label] > here.best->score;
    if (answer && (own_is_better || here.best->score < options_.least)) break;
    answer = here.best;
    if (here.next) beside = here.next;
    level = children_[answer->label];
  }
  if (!answer) {
    prediction.winner.reset();
    return;
  }
  prediction.fused = *answer;
  prediction.runner_up.reset();
  if (beside && beside->score <= answer->score) prediction.runner_up = beside;
}

}  // namespace zeroshelf
