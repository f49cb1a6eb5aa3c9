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
#include "lib/labelling/prompt_cache.h"
#include "lib/labels/label_vectors.h"
#include "lib/util/error.h"

namespace zeroshelf {
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

// What asks of a label whether it fits.
bool asks_each_label(const LabellingRequest& request) {
  return request.calibration.empty() &&
         (request.several || request.last_is_none || request.threshold);
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
  if (manifest.scoring != Scoring::Sigmoid || !request.calibration.empty() ||
      !request.classifier.empty())
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
  if (!request.vectors.empty())
    return LabelVectors(
        read_label_vectors(request.vectors, request.labels, collection.manifest().dimension));
  return LabelVectors(label_vectors(request.labels, [&](const std::vector<std::string>& prompts) {
    return prompt_vectors(collection, prompts, encoders);
  }));
}

namespace {

Labelling labelling_with(const View& collection, const LabellingRequest& request,
                         const std::function<LabelVectors()>& vectors) {
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
  labelling.fusion = fusion_for(collection, request);
  labelling.vectors = labels_for(collection, labelling.fusion, vectors());
  if (!request.last_is_none) return labelling;
  labelling.none = static_cast<uint32_t>(request.labels.size() - 1);
  if (labelling.fusion.sigmoid_bias && !request.none_has_own_prompts)
    make_rest(collection.manifest(), request.threshold.value_or(kFits), labelling);
  return labelling;
}

}  // namespace

Labelling make_labelling(const View& collection, const LabellingRequest& request,
                         EncoderSource& encoders) {
  return labelling_with(collection, request,
                        [&] { return label_vectors(collection, request, encoders); });
}

Labelling make_labelling(const View& collection, const LabellingRequest& request,
                         const EncodePrompts& encode) {
  assert(request.vectors.empty());
  return labelling_with(collection, request,
                        [&] { return LabelVectors(label_vectors(request.labels, encode)); });
}

}  // namespace zeroshelf
