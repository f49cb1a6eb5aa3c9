// Tested by tests/programs/queries_test.cc.

#include "lib/labelling/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "lib/labelling/adapt_labels.h"
#include "lib/labels/label_vectors.h"
#include "lib/util/error.h"
#include "lib/util/text.h"

namespace zeroshelf {
CheckedAnswer checked_answer(const Prediction& prediction, uint32_t truth) {
  CheckedAnswer checked;
  checked.truth = truth;
  if (prediction.winner) {
    checked.answer = prediction.answer().label;
    checked.confidence = prediction.answer().score;
  }
  return checked;
}

std::vector<Way> every_rule(const View& collection, const std::vector<Label>& labels,
                            const LabelVectors& vectors, const LabelTree& tree) {
  std::vector<Way> ways;
  const bool any_text =
      collection.live_texts() > 0 && std::ranges::none_of(labels, has_pictures_alone);
  for (const std::string& name : fusion_rule_names()) {
    if (name == "text" && !any_text) continue;
    const Fusion fusion = default_fusion(collection, name);
    ways.push_back(
        {name, {labels, labels_for(collection, fusion, vectors), fusion, {}, {}, false, tree}});
  }
  return ways;
}

std::vector<Answers> answers_of(const View& collection, const std::vector<Way>& ways,
                                const std::vector<KnownPicture>& pictures, unsigned threads) {
  std::vector<Answers> answers;
  for (const Way& way : ways) {
    const std::vector<Prediction> predictions = classify(collection, way.labelling, threads);
    answers.push_back({way.name, {}});
    for (const KnownPicture& it : pictures)
      answers.back().checked.push_back(checked_answer(predictions[it.row], it.label));
  }
  return answers;
}

namespace {

// Where a place is at a level; absent where it lies above.
std::optional<uint32_t> at_level(const LabelTree& tree, uint32_t place, uint32_t level) {
  if (tree.places[place].depth < level) return std::nullopt;
  while (tree.places[place].depth > level) place = *tree.places[place].parent;
  return place;
}

}  // namespace

std::vector<LevelFigures> figures_by_level(const LabelTree& tree,
                                           const std::vector<Answers>& answers) {
  std::vector<LevelFigures> figures;
  for (const Answers& of_way : answers) {
    for (uint32_t level = 1; level <= tree.depth(); ++level) {
      LevelFigures& it = figures.emplace_back();
      it.way = of_way.name;
      it.level = level;
      for (const CheckedAnswer& checked : of_way.checked) {
        const auto truth = at_level(tree, checked.truth, level);
        if (!truth) continue;
        ++it.pictures;
        const auto answer = checked.answer ? at_level(tree, *checked.answer, level) : std::nullopt;
        it.right += answer == truth;
        it.stopped += !answer.has_value();
      }
    }
  }
  return figures;
}

uint64_t leave_out_examples(std::vector<KnownPicture>& pictures, const LabelVectors& labels) {
  const uint64_t left_out = std::erase_if(pictures, [&](const KnownPicture& it) {
    return std::ranges::binary_search(labels.examples, it.row);
  });
  if (left_out > 0 && pictures.empty())
    throw Error(ErrorCode::InvalidArgument, "the truth",
                "every picture of it is an example of a label, which knows the answer",
                "give the truth about others");
  return left_out;
}

std::string examples_note(uint64_t left_out) {
  return fmt::format("{} pictures of the truth are examples of labels, and were left out",
                     with_thousands(left_out));
}

Evaluation evaluate(const View& collection, const std::vector<Label>& labels,
                    const std::vector<Way>& ways, const Truth& truth, unsigned threads) {
  KnownPictures known = known_pictures(collection, labels, truth);
  Evaluation evaluation;
  if (!ways.empty())
    evaluation.examples = leave_out_examples(known.pictures, ways.front().labelling.vectors);
  evaluation.pictures = known.pictures.size();
  evaluation.not_in_collection = known.not_in_collection;
  evaluation.without_truth = known.without_truth;
  const std::vector<Answers> answers = answers_of(collection, ways, known.pictures, threads);
  evaluation.result = evaluate_answers(answers, labels.size(), {.threads = threads});
  if (!ways.empty()) evaluation.levels = figures_by_level(ways.front().labelling.tree, answers);
  return evaluation;
}

}  // namespace zeroshelf
