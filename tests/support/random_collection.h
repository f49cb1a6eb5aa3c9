#pragma once

// A collection of random vectors, to compare answers with a plain loop over it.

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "lib/collection/collection.h"
#include "lib/collection/view.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::testing {

inline constexpr uint32_t kRandomDimension = 48;

inline std::vector<float> random_unit_vector(std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<float> vector(kRandomDimension);
  for (float& value : vector) value = normal(random);
  normalise(vector);
  return vector;
}

inline Matrix random_matrix(std::mt19937& random, size_t rows) {
  Matrix result(rows, kRandomDimension);
  for (size_t i = 0; i < rows; ++i) {
    const std::vector<float> vector = random_unit_vector(random);
    std::copy(vector.begin(), vector.end(), result.row(i).begin());
  }
  return result;
}

// 700 pictures, every third with text, every seventh removed again. logit_bias: of a model that
// judges by a sigmoid.
struct RandomCollection {
  explicit RandomCollection(std::optional<float> logit_bias = {}) {
    Manifest manifest;
    if (logit_bias) {
      manifest.scoring = Scoring::Sigmoid;
      manifest.logit_bias = *logit_bias;
    }
    manifest.model_name = "random";
    manifest.model_fingerprint = "0";
    manifest.dimension = kRandomDimension;
    manifest.logit_scale = 20;
    CollectionWriter writer = CollectionWriter::open_or_create(directory / "collection", manifest);
    Batch added;
    for (size_t i = 0; i < 700; ++i) {
      NewPicture picture;
      picture.record.file.path = "/" + std::to_string(i);
      picture.record.content_hash[0] = static_cast<uint8_t>(i);
      picture.record.content_hash[1] = static_cast<uint8_t>(i >> 8);
      picture.image_vector = random_unit_vector(random);
      if (i % 3 == 0) {
        picture.words = {{"word", 0.9f, {}}};
        picture.record.word_count = 1;
        picture.text_vector = random_unit_vector(random);
      }
      added.added.push_back(std::move(picture));
    }
    writer.commit(added);
    Batch removed;
    for (Row row = 0; row < 700; row += 7) removed.removed.push_back(row);
    writer.commit(removed);
  }

  View open() const { return View::open(directory / "collection"); }

  std::mt19937 random{11};
  TemporaryDirectory directory;
};

// The oracle: inner products in double, straight from the stored halves.
inline std::vector<float> similarities(const VectorRows& vectors, size_t row, const Matrix& queries) {
  std::vector<float> values(kRandomDimension);
  from_fp16(vectors.row(row), values);
  std::vector<float> result;
  for (size_t q = 0; q < queries.rows(); ++q) {
    double sum = 0;
    for (size_t j = 0; j < kRandomDimension; ++j)
      sum += static_cast<double>(values[j]) * queries.row(q)[j];
    result.push_back(static_cast<float>(sum));
  }
  return result;
}

// Fixed point leaves a similarity within some 1e-5, at a scale of 100 a logit within 1e-3, and the
// difference of two with its factor p (1 - p) a probability within half of that.
inline constexpr float kScoreSlack = 5e-4f;

}  // namespace zeroshelf::testing
