// Tested by tests/programs/queries_test.cc.

#include "query/evaluate.h"

namespace zeroshelf {
namespace {}  // namespace

Judgement judgement_of(const Prediction& prediction, uint32_t truth) {
  Judgement judgement;
  judgement.truth = truth;
  if (prediction.winner) {
    judgement.answer = prediction.answer().label;
    judgement.confidence = prediction.answer().score;
  }
  return judgement;
}

Evaluation evaluate(const Collection& collection, const std::vector<Label>& labels,
                    const LabelVectors& label_vectors, const Truth& truth, unsigned threads) {
  const KnownPictures known = known_pictures(collection, labels, truth);
  Evaluation evaluation;
  evaluation.pictures = known.pictures.size();
  evaluation.not_in_collection = known.not_in_collection;
  evaluation.without_truth = known.without_truth;
  std::vector<Answers> answers;
  for (const std::string& name : fusion_rule_names()) {
    const std::vector<Prediction> predictions =
        classify(collection, label_vectors, default_fusion(collection, name), threads);
    Answers of_rule{name, {}};
    for (const KnownPicture& it : known.pictures)
      of_rule.judgements.push_back(judgement_of(predictions[it.row], it.label));
    answers.push_back(std::move(of_rule));
    evaluation.rules.push_back(name);
  }
  evaluation.judged = judge(answers, labels.size(), {.threads = threads});
  return evaluation;
}

}  // namespace zeroshelf
