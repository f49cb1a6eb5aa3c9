// Tested through the program by tests/programs.

#include "query/labelling.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <utility>

#include "lib/labels/label_vectors.h"
#include "lib/util/text.h"
#include "query/classify.h"

namespace zeroshelf {

using Clock = std::chrono::steady_clock;

Classified classify_for(const std::filesystem::path& directory, const LabelOptions& label_options,
                        const ModelOptions& model) {
  fusion_rule(label_options.fusion);  // a mistyped name is told before the model is loaded
  std::vector<Label> labels = read_labels(label_options);
  Collection collection = Collection::open(directory);
  const auto encoder = load_model_of(collection.manifest(), model, EncoderSide::TextOnly);
  const LabelVectors vectors(encode_labels(*encoder, labels));

  const auto start = Clock::now();
  std::vector<Prediction> predictions = classify(
      collection, vectors, default_fusion(collection, label_options.fusion), model.threads);
  const std::chrono::duration<double, std::milli> spent = Clock::now() - start;
  fmt::print(stderr, "{} pictures x {} labels scored in {:.3g} ms\n",
             with_thousands(collection.counts().pictures), labels.size(), spent.count());
  return {std::move(labels), std::move(collection), std::move(predictions)};
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
