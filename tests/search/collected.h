#pragma once

// A collection to search, with words, sizes and times that follow from the rows.

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "lib/collection/collection.h"
#include "lib/collection/view.h"
#include "lib/search/search.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::testing {

inline constexpr uint32_t kCollectedDimension = 24;

inline std::vector<float> random_unit(std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<float> vector(kCollectedDimension);
  for (float& value : vector) value = normal(random);
  normalise(vector);
  return vector;
}

// 900 pictures; two of three have two words each; every seventh is removed.
struct Collected {
  TemporaryDirectory directory;
  std::mt19937 random{42};
  std::filesystem::path path = directory / "collection";

  Collected() {
    Manifest manifest;
    manifest.model_name = "random";
    manifest.model_fingerprint = "0";
    manifest.dimension = kCollectedDimension;
    CollectionWriter writer = CollectionWriter::open_or_create(path, manifest);
    Batch batch;
    for (Row row = 0; row < 900; ++row) {
      NewPicture picture;
      picture.record.file = {"/folder/" + std::to_string(row) + (row % 2 ? ".jpg" : ".png"),
                             row * 10, static_cast<int64_t>(row) * 1'000'000'000};
      picture.record.width_px = static_cast<uint32_t>(row);
      picture.record.height_px = 100;
      picture.image_vector = random_unit(random);
      if (row % 3 != 0) {
        picture.words = {{"word" + std::to_string(row % 50), 1, {}}, {"common", 1, {}}};
        picture.record.word_count = 2;
        picture.text_vector = random_unit(random);
      }
      batch.added.push_back(std::move(picture));
    }
    writer.commit(batch);
    Batch removals;
    for (Row row = 0; row < 900; row += 7) removals.removed.push_back(row);
    writer.commit(removals);
  }

  View open() const { return View::open(path); }
};

inline float cosine(const VectorRows& vectors, Row row, const std::vector<float>& query) {
  std::vector<float> values(kCollectedDimension);
  from_fp16(vectors.row(row), values);
  float sum = 0;
  for (size_t i = 0; i < kCollectedDimension; ++i) sum += values[i] * query[i];
  return sum;
}

}  // namespace zeroshelf::testing
