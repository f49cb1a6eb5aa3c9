#pragma once

// A collection of random vectors, half of the pictures with text, whose true labels are drawn from
// the probabilities that the rule `mix` gives with settings of the test's choice: what can be
// fitted to it is known.

#include <algorithm>
#include <string>
#include <vector>

#include "lib/labelling/classify.h"
#include "lib/labelling/truth.h"
#include "lib/util/random.h"
#include "tests/support/asked.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::testing {

inline FusionSettings scales(float image, float text, float alpha) {
  FusionSettings settings = FusionSettings::for_logit_scale(20);
  settings.image_scale = image;
  settings.text_scale = text;
  settings.alpha = alpha;
  return settings;
}

struct DrawnCollection {
  static constexpr uint32_t kDimension = 16;
  static constexpr uint32_t kLabels = 3;

  explicit DrawnCollection(size_t pictures) {
    Manifest manifest;
    manifest.model_name = "drawn";
    manifest.model_fingerprint = "d4a3";
    manifest.dimension = kDimension;
    manifest.logit_scale = 20;
    CollectionWriter writer = CollectionWriter::open_or_create(directory / "collection", manifest);
    Batch batch;
    for (size_t i = 0; i < pictures; ++i) {
      NewPicture picture;
      picture.record.file.path = "/" + std::to_string(i);
      for (size_t j = 0; j < 8; ++j)
        picture.record.content_hash[j] = static_cast<uint8_t>(random.next());
      picture.image_vector = unit_vector();
      if (i % 2 == 0) {
        picture.words = {{"word", 0.9f, {}}};
        picture.record.word_count = 1;
        picture.record.text_confidence = 0.9f;
        picture.text_vector = unit_vector();
      }
      batch.added.push_back(std::move(picture));
    }
    writer.commit(batch);
    Matrix prompts(kLabels, kDimension);
    for (uint32_t k = 0; k < kLabels; ++k) std::ranges::copy(unit_vector(), prompts.row(k).begin());
    vectors = LabelVectors(prompts);
  }

  View open() const { return View::open(directory / "collection"); }

  // Every picture with a label drawn from what `mix` believes.
  std::vector<KnownPicture> drawn_truth(const View& collection, const FusionSettings& settings) {
    std::vector<KnownPicture> known;
    ScanOptions options;
    options.threads = 1;
    options.all_scores = true;
    scan(collection, labelling_of(vectors, {&fusion_rule("mix"), settings}), options,
         [&](const PredictionBlock& block) {
           for (size_t i = 0; i < block.predictions.size(); ++i) {
             double left = random.uniform();
             uint32_t label = 0;
             while (label + 1 < kLabels && (left -= block.scores_of(i)[label]) > 0) ++label;
             known.push_back({block.first_row + i, label});
           }
         });
    return known;
  }

  std::vector<float> unit_vector() {
    std::vector<float> vector(kDimension);
    for (float& value : vector) value = static_cast<float>(random.uniform(-1, 1));
    normalise(vector);
    return vector;
  }

  TemporaryDirectory directory;
  Random random{7};
  LabelVectors vectors;
  std::vector<Label> labels = {{"a", {"a"}}, {"b", {"b"}}, {"c", {"c"}}};
};

}  // namespace zeroshelf::testing
