#include "benchmarks/clip_like.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "lib/vectors/vector_rows.h"

namespace zeroshelf {
namespace {

// Measured on 1,203 texts and 7 pictures of ViT-B/32 (docs/search.md): the norms of the means, the
// cosine between them, and the number of directions that would spread as much if all were equal
// (about 118), which this exponent gives.
constexpr float kPictureMean = 0.81f;
constexpr float kTextMean = 0.86f;
constexpr float kBetweenMeans = 0.27f;
constexpr double kSpectrum = 0.42;

// How much of a vector's deviation from its mean its topic makes up, and how much of a text topic's
// is its picture topic's. These give the cosines that were measured between true pictures and
// texts: 0.17 to 0.20 with a spread of 0.015 to 0.019, and 0.235 to 0.265 for the text that fits
// best.
constexpr float kTopic = 0.7f;
constexpr float kShared = 0.3f;

float rest_of(float part) {
  return std::sqrt(1 - part * part);
}

void add(std::span<const float> from, float factor, std::vector<float>& to) {
  for (size_t i = 0; i < to.size(); ++i) to[i] += factor * from[i];
}

}  // namespace

ClipLike::ClipLike(uint64_t seed)
    : pictures_(kTopics, kDimension), texts_(kTopics, kDimension), picture_mean_(kDimension) {
  Random random(seed);
  double sum = 0;
  for (size_t i = 0; i < kTopics; ++i) shares_.push_back(sum += 1 / static_cast<double>(i + 1));
  for (size_t i = 0; i < kDimension; ++i) {
    strengths_.push_back(static_cast<float>(std::pow(static_cast<double>(i + 1), -kSpectrum)));
    signs_.push_back(random.chance(0.5) ? 1.0f : -1.0f);
  }
  for (size_t i = 0; i < kTopics; ++i) {
    const std::vector<float> common = spread_by_chance(random);
    std::ranges::copy(common, pictures_.row(i).begin());
    std::vector<float> text = spread_by_chance(random);
    for (float& value : text) value *= rest_of(kShared);
    add(common, kShared, text);
    std::ranges::copy(text, texts_.row(i).begin());
  }
  // Means have one strong direction each, beside weak ones.
  picture_mean_ = spread_by_chance(random);
  picture_mean_[7] += 1.5f;
  normalise(picture_mean_);
  text_mean_ = spread_by_chance(random);
  text_mean_[11] += 1.5f;
  float common = 0;
  for (size_t i = 0; i < kDimension; ++i) common += text_mean_[i] * picture_mean_[i];
  add(picture_mean_, -common, text_mean_);
  normalise(text_mean_);
  for (float& value : text_mean_) value *= rest_of(kBetweenMeans);
  add(picture_mean_, kBetweenMeans, text_mean_);
}

size_t ClipLike::topic(Random& random) const {
  const double at = random.uniform() * shares_.back();
  return static_cast<size_t>(std::ranges::lower_bound(shares_, at) - shares_.begin());
}

std::vector<float> ClipLike::picture(size_t topic, Random& random) const {
  return one_more(pictures_.row(topic), picture_mean_, kPictureMean, random);
}

std::vector<float> ClipLike::text(size_t topic, Random& random) const {
  return one_more(texts_.row(topic), text_mean_, kTextMean, random);
}

std::vector<float> ClipLike::one_more(std::span<const float> topic, std::span<const float> mean,
                                      float mean_part, Random& random) const {
  std::vector<float> vector = spread_by_chance(random);
  for (float& value : vector) value *= rest_of(kTopic);
  add(topic, kTopic, vector);
  normalise(vector);
  for (float& value : vector) value *= rest_of(mean_part);
  add(mean, mean_part, vector);
  normalise(vector);
  return vector;
}

std::vector<float> ClipLike::spread_by_chance(Random& random) const {
  std::vector<float> vector(kDimension);
  for (size_t i = 0; i < kDimension; ++i)
    vector[i] = strengths_[i] * static_cast<float>(random.uniform(-1, 1));
  turn(vector);
  normalise(vector);
  return vector;
}

// So that no direction is that of one number alone: signs by chance and a Walsh-Hadamard transform.
void ClipLike::turn(std::vector<float>& vector) const {
  for (size_t i = 0; i < kDimension; ++i) vector[i] *= signs_[i];
  for (size_t half = 1; half < kDimension; half *= 2) {
    for (size_t begin = 0; begin < kDimension; begin += 2 * half) {
      for (size_t i = begin; i < begin + half; ++i) {
        const float a = vector[i];
        const float b = vector[i + half];
        vector[i] = a + b;
        vector[i + half] = a - b;
      }
    }
  }
}

}  // namespace zeroshelf
