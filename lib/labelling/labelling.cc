// Tested by tests/labelling/labelling_test.cc.

#include "lib/labelling/labelling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "lib/files/npy_reader.h"
#include "lib/labelling/adapt_labels.h"
#include "lib/labelling/calibrate.h"
#include "lib/labelling/classifier.h"
#include "lib/labelling/example_pictures.h"
#include "lib/labelling/prompt_cache.h"
#include "lib/labelling/veto_columns.h"
#include "lib/labels/label_vectors.h"
#include "lib/labels/prompt.h"
#include "lib/util/error.h"

namespace zeroshelf {
namespace {

PromptVectors read_label_vectors(const std::filesystem::path& path,
                                 const std::vector<Label>& labels, uint32_t dimension) {
  PromptVectors result{Matrix(labels.size(), dimension), vetoes_of(labels), {}};
  result.of_vetoes = Matrix(result.vetoes.size(), dimension);
  std::vector<std::span<float>> places;
  std::vector<std::string> names;
  for (size_t k = 0; k < labels.size(); ++k) {
    if (!has_text_prompt(labels[k])) continue;
    places.push_back(result.labels.row(k));
    names.push_back(labels[k].name);
  }
  const size_t of_labels = places.size();
  for (size_t i = 0; i < result.vetoes.size(); ++i) {
    const VetoPlace& veto = result.vetoes[i];
    if (parse_prompt(labels[veto.label].prompts[veto.prompt]).kind != Prompt::Kind::Text) continue;
    places.push_back(result.of_vetoes.row(i));
    names.push_back(labels[veto.label].name);
  }
  const NpyReader reader(path);
  const auto refuse = [&](const std::string& cause, const std::string& cure) {
    throw Error(ErrorCode::InvalidArgument, path.string(), cause, cure);
  };
  if (reader.rows() != places.size()) {
    const size_t vetoes = places.size() - of_labels;
    refuse(fmt::format("{} rows for {} labels{}", reader.rows(), of_labels,
                       vetoes == 0 ? "" : fmt::format(" and {} vetoes", vetoes)),
           vetoes == 0 ? "name one label a row, in the same order, with --labels or --labels-file"
                       : "give one row a label, then one a veto, in the order of the file");
  }
  if (reader.columns() != dimension)
    refuse(fmt::format("rows of {} values; the collection's vectors have {}", reader.columns(),
                       dimension),
           "make them with the model that made the collection's vectors");
  const Matrix vectors = reader.matrix();
  for (size_t i = 0; i < vectors.rows(); ++i) {
    double squares = 0;
    for (const float value : vectors.row(i)) squares += static_cast<double>(value) * value;
    if (!std::isfinite(squares) || squares == 0)
      refuse(fmt::format("row {} (label '{}') has no direction: it is zero or not finite", i,
                         names[i]),
             "make the file again");
    std::ranges::copy(vectors.row(i), places[i].begin());
    normalise(places[i]);
  }
  return result;
}

LabelVectors with_vetoes(const PromptVectors& prompts) {
  LabelVectors vectors(prompts.labels);
  if (!prompts.vetoes.empty()) vectors.vetoes = veto_vectors(prompts);
  return vectors;
}

// What asks of a label whether it fits.
bool asks_each_label(const LabellingRequest& request) {
  return request.calibration.empty() &&
         (request.several || request.last_is_none || request.threshold);
}

// Without texts nobody is asked.
PromptVectors text_vectors(const View& collection, const std::vector<Label>& labels,
                           const EncodePrompts& encode) {
  return vectors_of_prompts(labels, [&](const std::vector<std::string>& prompts) {
    return prompts.empty() ? Matrix(0, collection.manifest().dimension) : encode(prompts);
  });
}

LabelVectors vectors_with(const View& collection, const LabellingRequest& request,
                          const PromptVectors& texts, const FindExamples& find) {
  if (!has_examples(request.labels)) return with_vetoes(texts);
  const bool fits = asks_each_label(request) && collection.manifest().scoring == Scoring::Sigmoid;
  return with_examples(collection, request.labels, texts, find, fits);
}

LabelTree tree_of_request(const LabellingRequest& request) {
  if (request.slash == Slash::Letter) return {};
  std::vector<std::string> names;
  for (const Label& label : request.labels) names.push_back(label.name);
  return tree_of(names);
}

// A picture that was named by its row is told by its path.
void name_rows(const View& collection, std::vector<Label>& labels) {
  for (Label& label : labels) {
    for (std::string& written : label.prompts) {
      if (const auto row = row_of_prompt(written)) {
        Prompt prompt = parse_prompt(written);
        prompt.value = collection.record(*row).file.path;
        written = written_prompt(prompt);
      }
    }
  }
}

// After everything that goes by the labels alone.
void add_tree(const LabellingRequest& request, Labelling& labelling) {
  labelling.tree = tree_of_request(request);
  labelling.depth = request.depth;
  labelling.least = request.threshold;
  for (const std::string& node : labelling.tree.nodes) {
    if (request.last_is_none && node == kNoneLabel)
      throw Error(ErrorCode::InvalidArgument, node,
                  "is a level of the labels, and the class of --none",
                  "name the level otherwise, or leave --none out");
    labelling.labels.push_back({node, {}});
  }
}

// The last label becomes what fits every picture with that probability.
void make_rest(const Manifest& manifest, float probability, Labelling& labelling) {
  const size_t none = labelling.labels.size() - 1;
  const float share = std::clamp(probability, 1e-6f, 1 - 1e-6f);
  std::ranges::fill(labelling.vectors.image.row(none), 0.0f);
  labelling.vectors.image_bias.assign(labelling.labels.size(), 0.0f);
  labelling.vectors.image_bias[none] =
      (std::log(share / (1 - share)) - manifest.logit_bias) / manifest.logit_scale;
  labelling.none_is_rest = true;
}

Fusion fusion_for(const View& collection, const LabellingRequest& request) {
  if (!request.calibration.empty())
    return {&fusion_rule("mix"), load_calibration(collection, request.calibration).settings};
  if (asks_each_label(request)) {
    if (auto fusion = fusion_for_each_label(collection, request.fusion)) return *fusion;
  }
  return default_fusion(collection, request.fusion);
}

}  // namespace

ThresholdBearing threshold_bearing(const Manifest& manifest, const LabellingRequest& request) {
  if (!request.classifier.empty()) return ThresholdBearing::None;
  if (!tree_of_request(request).empty()) return ThresholdBearing::Value;
  if (manifest.scoring != Scoring::Sigmoid || !request.calibration.empty())
    return ThresholdBearing::None;
  if (request.last_is_none && !request.none_has_own_prompts) return ThresholdBearing::Value;
  return request.last_is_none || request.several ? ThresholdBearing::None
                                                 : ThresholdBearing::WhetherGiven;
}

std::string way_name(const LabellingRequest& request) {
  if (!request.classifier.empty()) return "classifier " + request.classifier;
  if (!request.calibration.empty()) return "mix, calibration " + request.calibration;
  return request.fusion;
}

LabelVectors label_vectors(const View& collection, const LabellingRequest& request,
                           EncoderSource& encoders) {
  const PromptVectors texts =
      request.vectors.empty()
          ? text_vectors(collection, request.labels,
                         [&](const std::vector<std::string>& prompts) {
                           return prompt_vectors(collection, prompts, encoders);
                         })
          : read_label_vectors(request.vectors, request.labels, collection.manifest().dimension);
  return vectors_with(collection, request, texts, examples_by_path(collection, encoders));
}

LabelVectors label_vectors(const View& collection, const LabellingRequest& request,
                           const EncodePrompts& encode) {
  assert(request.vectors.empty());
  return vectors_with(collection, request, text_vectors(collection, request.labels, encode),
                      examples_by_row(collection));
}

namespace {

// By that rule what is written decides, and it says nothing of a label without a text.
void expect_texts(const std::vector<Label>& labels, const Fusion& fusion) {
  if (fusion.rule->name() != "text") return;
  const auto found = std::ranges::find_if(labels, has_pictures_alone);
  if (found == labels.end()) return;
  throw Error(ErrorCode::InvalidArgument, found->name,
              "it has pictures alone, and by the rule text what is written in a picture decides",
              "give the label a word, too, or take the rule mix, max or image");
}

Labelling labelling_with(const View& collection, const LabellingRequest& request,
                         const std::function<LabelVectors()>& vectors,
                         const FusionSettings* calibration = nullptr) {
  Labelling labelling;
  labelling.threshold = request.threshold;
  if (!request.classifier.empty()) {
    Classifier classifier = load_classifier(collection, request.classifier);
    labelling.labels = std::move(classifier.labels);
    labelling.vectors = std::move(classifier.vectors);
    labelling.fusion = {&fusion_rule("mix"), classifier.settings};
    return labelling;
  }
  labelling.labels = request.labels;
  labelling.fusion = calibration == nullptr ? fusion_for(collection, request)
                                            : Fusion{&fusion_rule("mix"), *calibration};
  expect_texts(request.labels, labelling.fusion);
  labelling.vectors = labels_for(collection, labelling.fusion, vectors());
  if (request.last_is_none) {
    labelling.none = static_cast<uint32_t>(request.labels.size() - 1);
    if (labelling.fusion.sigmoid_bias && !request.none_has_own_prompts)
      make_rest(collection.manifest(), request.threshold.value_or(kFits), labelling);
  }
  name_rows(collection, labelling.labels);
  add_tree(request, labelling);
  return labelling;
}

}  // namespace

Labelling make_labelling(const View& collection, const LabellingRequest& request,
                         EncoderSource& encoders) {
  return labelling_with(collection, request,
                        [&] { return label_vectors(collection, request, encoders); });
}

Labelling make_labelling(const View& collection, const LabellingRequest& request,
                         EncoderSource& encoders, const FusionSettings& calibration) {
  return labelling_with(
      collection, request, [&] { return label_vectors(collection, request, encoders); },
      &calibration);
}

Labelling make_labelling(const View& collection, const LabellingRequest& request,
                         const EncodePrompts& encode) {
  return labelling_with(collection, request,
                        [&] { return label_vectors(collection, request, encode); });
}

}  // namespace zeroshelf
