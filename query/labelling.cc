// Tested through the program by tests/programs.

#include "query/labelling.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <utility>

#include "lib/files/npy_reader.h"
#include "lib/labelling/calibrate.h"
#include "lib/labelling/classifier.h"
#include "lib/labelling/prompt_cache.h"
#include "lib/labels/label_vectors.h"
#include "lib/program/message.h"
#include "lib/util/error.h"
#include "lib/util/text.h"

namespace zeroshelf {

using Clock = std::chrono::steady_clock;

LabelVectors prompt_vectors(const Collection& collection, const std::vector<Label>& labels,
                            const ModelOptions& model) {
  const Manifest& manifest = collection.manifest();
  // Behind an unknown fingerprint there may be one model today and another tomorrow.
  if (!manifest.has_known_model())
    return LabelVectors(
        encode_labels(*load_model_of(manifest, model, EncoderSide::TextOnly), labels));
  PromptCache cache(collection.directory(), manifest.model_fingerprint, model.precision,
                    manifest.dimension);
  std::vector<std::string> unknown;
  for (const std::string& prompt : distinct_prompts(labels)) {
    if (cache.find(prompt).empty()) unknown.push_back(prompt);
  }
  // A model that the user names is looked at, so that another one than the collection's is refused.
  if (!unknown.empty() || !model.model.empty()) {
    const auto encoder = load_model_of(manifest, model, EncoderSide::TextOnly);
    if (!unknown.empty()) cache.keep(unknown, encoder->encode_texts(unknown, LongText::Truncate));
  }
  return LabelVectors(average_prompts(
      labels, manifest.dimension, [&](const std::string& prompt) { return cache.find(prompt); }));
}

namespace {

Matrix read_label_vectors(const std::filesystem::path& path, const std::vector<Label>& labels,
                          uint32_t dimension) {
  const NpyReader reader(path);
  const auto refuse = [&](const std::string& cause, const std::string& cure) {
    throw Error(ErrorCode::InvalidArgument, path.string(), cause, cure);
  };
  if (reader.rows() != labels.size())
    refuse(fmt::format("{} rows for {} labels", reader.rows(), labels.size()),
           "name one label a row, in the same order, with --labels or --labels-file");
  if (reader.columns() != dimension)
    refuse(fmt::format("rows of {} values; the collection's vectors have {}", reader.columns(),
                       dimension),
           "make them with the model that made the collection's vectors");
  Matrix vectors = reader.matrix();
  for (size_t i = 0; i < vectors.rows(); ++i) {
    double squares = 0;
    for (const float value : vectors.row(i)) squares += static_cast<double>(value) * value;
    if (!std::isfinite(squares) || squares == 0)
      refuse(fmt::format("row {} (label '{}') has no direction: it is zero or not finite", i,
                         labels[i].name),
             "make the file again");
    normalise(vectors.row(i));
  }
  return vectors;
}

}  // namespace

LabelVectors label_vectors(const Collection& collection, const std::vector<Label>& labels,
                           const LabelOptions& options, const ModelOptions& model) {
  if (options.vectors.empty()) return prompt_vectors(collection, labels, model);
  if (options.list.empty() && options.file.empty())
    throw Error(ErrorCode::InvalidArgument, "--label-vectors", "no names for its rows",
                "name one label a row, in the same order, with --labels or --labels-file");
  return LabelVectors(read_label_vectors(options.vectors, labels, collection.manifest().dimension));
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
  question.vectors = label_vectors(collection, question.labels, options, model);
  return question;
}

void Labelling::settle(Prediction& prediction) const {
  if (!threshold || !prediction.winner || prediction.fused.score >= *threshold) return;
  if (none) {
    prediction.fused.label = *none;
  } else {
    prediction.winner.reset();
  }
}

Labelling prepare_labelling(const std::filesystem::path& directory,
                            const LabelOptions& label_options, const ModelOptions& model) {
  fusion_rule(label_options.fusion);  // mistakes are told before anything is opened
  const bool with_none = label_options.none || !label_options.none_prompts.empty();
  if (with_none && !label_options.by_prompts())
    throw Error(ErrorCode::InvalidArgument, "--none", "a learned classifier has no prompts",
                "leave it out, or use --threshold");
  if (label_options.by_prompts()) read_labels(label_options);
  Collection collection = Collection::open(directory);
  Question question = question_of(collection, label_options, model);
  std::optional<uint32_t> none;
  if (with_none) none = static_cast<uint32_t>(question.labels.size() - 1);
  return {std::move(question.labels),
          std::move(collection),
          std::move(question.vectors),
          question.fusion,
          none,
          label_options.threshold};
}

void PictureCounts::count(const Prediction& prediction) {
  ++(prediction.winner ? of_label[prediction.answer().label] : unanswered);
}

void PictureCounts::add(const PictureCounts& other) {
  for (size_t k = 0; k < of_label.size(); ++k) of_label[k] += other.of_label[k];
  unanswered += other.unanswered;
}

uint64_t PictureCounts::pictures() const {
  return std::accumulate(of_label.begin(), of_label.end(), unanswered);
}

std::string PictureCounts::summary(const std::vector<Label>& labels) const {
  std::string summary;
  const auto add_part = [&](const std::string& name, uint64_t count) {
    if (count == 0) return;
    if (!summary.empty()) summary += ", ";
    summary += fmt::format("{} {}", printable(name), with_thousands(count));
  };
  for (size_t i = 0; i < of_label.size(); ++i) add_part(labels[i].name, of_label[i]);
  add_part("no answer", unanswered);
  return summary.empty() ? "no pictures" : summary;
}

Classified classify_for(const std::filesystem::path& directory, const LabelOptions& label_options,
                        const ModelOptions& model) {
  return classify_all(prepare_labelling(directory, label_options, model), model.threads);
}

Classified classify_all(Labelling labelling, unsigned threads) {
  const auto start = Clock::now();
  std::vector<Prediction> predictions =
      classify(labelling.collection, labelling.vectors, labelling.fusion, threads);
  const std::chrono::duration<double, std::milli> spent = Clock::now() - start;
  for (Prediction& prediction : predictions) labelling.settle(prediction);
  say("{} pictures x {} labels scored in {:.3g} ms\n",
      with_thousands(labelling.collection.counts().pictures), labelling.labels.size(),
      spent.count());
  return {std::move(labelling.labels), labelling.fusion, std::move(labelling.collection),
          std::move(predictions)};
}

std::string count_summary(const Classified& classified) {
  PictureCounts counts(classified.labels.size());
  for (Row row = 0; row < classified.predictions.size(); ++row) {
    if (classified.collection.is_live(row)) counts.count(classified.predictions[row]);
  }
  return counts.summary(classified.labels);
}

}  // namespace zeroshelf
