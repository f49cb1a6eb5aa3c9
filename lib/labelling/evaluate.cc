// Tested by tests/programs/queries_test.cc.

#include "lib/labelling/evaluate.h"

#include "lib/labelling/adapt_labels.h"

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
                            const LabelVectors& vectors) {
  std::vector<Way> ways;
  const bool any_text = collection.counts().with_text > 0;
  for (const std::string& name : fusion_rule_names()) {
    if (name == "text" && !any_text) continue;
    const Fusion fusion = default_fusion(collection, name);
    ways.push_back(
        {name, {labels, labels_for(collection, fusion, vectors), fusion, {}, {}, false}});
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

Evaluation evaluate(const View& collection, const std::vector<Label>& labels,
                    const std::vector<Way>& ways, const Truth& truth, unsigned threads) {
  const KnownPictures known = known_pictures(collection, labels, truth);
  Evaluation evaluation;
  evaluation.pictures = known.pictures.size();
  evaluation.not_in_collection = known.not_in_collection;
  evaluation.without_truth = known.without_truth;
  evaluation.result = evaluate_answers(answers_of(collection, ways, known.pictures, threads),
                                       labels.size(), {.threads = threads});
  return evaluation;
}

}  // namespace zeroshelf
