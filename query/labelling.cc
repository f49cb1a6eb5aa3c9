// Tested through the program by tests/programs.

#include "query/labelling.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <utility>

#include "lib/labels/label_vectors.h"
#include "lib/util/text.h"
#include "query/calibrate.h"
#include "query/classifier.h"

namespace zeroshelf {

using Clock = std::chrono::steady_clock;

LabelVectors prompt_vectors(const Collection& collection, const std::vector<Label>& labels,
                            const ModelOptions& model) {
  const auto encoder = load_model_of(collection.manifest(), model, EncoderSide::TextOnly);
  return LabelVectors(encode_labels(*encoder, labels));
}

Question question_of(const Collection& collection, const LabelOptions& options,
                     const ModelOptions& model) {
  if (!options.by_prompts()) {
    Classifier classifier = load_classifier(collection, options.classifier);
    return {std::move(classifier.labels),
            std::move(classifier.vectors),
            {&fusion_rule("mix"), classifier.settings}};
  }
  Question question;
  question.labels = read_labels(options);
  question.fusion =
      options.calibration.empty()
          ? default_fusion(collection, options.fusion)
          : Fusion{&fusion_rule("mix"), load_calibration(collection, options.calibration).settings};
  question.vectors = prompt_vectors(collection, question.labels, model);
  return question;
}

Classified classify_for(const std::filesystem::path& directory, const LabelOptions& label_options,
                        const ModelOptions& model) {
  fusion_rule(label_options.fusion);  // mistakes are told before anything is opened
  if (label_options.by_prompts()) read_labels(label_options);
  Collection collection = Collection::open(directory);
  Question question = question_of(collection, label_options, model);

  const auto start = Clock::now();
  std::vector<Prediction> predictions =
      classify(collection, question.vectors, question.fusion, model.threads);
  const std::chrono::duration<double, std::milli> spent = Clock::now() - start;
  fmt::print(stderr, "{} pictures x {} labels scored in {:.3g} ms\n",
             with_thousands(collection.counts().pictures), question.labels.size(), spent.count());
  return {std::move(question.labels), question.fusion, std::move(collection),
          std::move(predictions)};
}

std::string count_summary(const Classified& classified) {
  std::vector<uint64_t> counts(classified.labels.size());
  uint64_t unanswered = 0;
  for (Row row = 0; row < classified.predictions.size(); ++row) {
    if (!classified.collection.is_live(row)) continue;
    const Prediction& prediction = classified.predictions[row];
    ++(prediction.winner ? counts[prediction.answer().label] : unanswered);
  }
  std::string summary;
  const auto add = [&](const std::string& name, uint64_t count) {
    if (count == 0) return;
    if (!summary.empty()) summary += ", ";
    summary += fmt::format("{} {}", printable(name), with_thousands(count));
  };
  for (size_t i = 0; i < counts.size(); ++i) add(classified.labels[i].name, counts[i]);
  add("no answer", unanswered);
  return summary.empty() ? "no pictures" : summary;
}

}  // namespace zeroshelf
