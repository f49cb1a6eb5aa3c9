// Tested by tests/search/search_test.cc; `bench_found` measures how well it tells.

#include "lib/search/background.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <string>
#include <utility>

#include "lib/labelling/prompt_cache.h"
#include "lib/search/search.h"

namespace zeroshelf {
namespace {

constexpr const char* kPrompts[] = {"a person",
                                    "a man",
                                    "a woman",
                                    "a child",
                                    "a baby",
                                    "a crowd",
                                    "a family",
                                    "an old man",
                                    "a face",
                                    "hands",
                                    "a couple",
                                    "a soldier",
                                    "a doctor",
                                    "a cook",
                                    "a musician",
                                    "a king",
                                    "a dog",
                                    "a cat",
                                    "a horse",
                                    "a cow",
                                    "a sheep",
                                    "a bird",
                                    "a duck",
                                    "an owl",
                                    "a fish",
                                    "a shark",
                                    "a whale",
                                    "an octopus",
                                    "a frog",
                                    "a snake",
                                    "a turtle",
                                    "a lizard",
                                    "a spider",
                                    "a butterfly",
                                    "a bee",
                                    "an insect",
                                    "an elephant",
                                    "a lion",
                                    "a bear",
                                    "a monkey",
                                    "a rabbit",
                                    "a mouse",
                                    "a pig",
                                    "a deer",
                                    "a wolf",
                                    "a dinosaur",
                                    "a dragon",
                                    "a monster",
                                    "a ghost",
                                    "a robot",
                                    "an alien",
                                    "a skeleton",
                                    "a tree",
                                    "a forest",
                                    "a flower",
                                    "a rose",
                                    "grass",
                                    "a leaf",
                                    "a cactus",
                                    "a mushroom",
                                    "a garden",
                                    "fruit",
                                    "an apple",
                                    "a banana",
                                    "vegetables",
                                    "a tomato",
                                    "bread",
                                    "cheese",
                                    "meat",
                                    "a pizza",
                                    "a sandwich",
                                    "a cake",
                                    "ice cream",
                                    "a bowl of soup",
                                    "noodles",
                                    "rice",
                                    "a cup of coffee",
                                    "tea",
                                    "a bottle of wine",
                                    "beer",
                                    "a glass of water",
                                    "milk",
                                    "a meal on a table",
                                    "a kitchen",
                                    "a bedroom",
                                    "a bathroom",
                                    "an office",
                                    "a classroom",
                                    "a shop",
                                    "a restaurant",
                                    "a church",
                                    "a castle",
                                    "a house",
                                    "a tall building",
                                    "a bridge",
                                    "a tower",
                                    "a street",
                                    "a city at night",
                                    "a village",
                                    "a farm",
                                    "a road",
                                    "a map",
                                    "a flag",
                                    "a sign",
                                    "a mountain",
                                    "a river",
                                    "a lake",
                                    "the sea",
                                    "a beach",
                                    "an island",
                                    "a desert",
                                    "a cave",
                                    "snow",
                                    "rain",
                                    "clouds",
                                    "a rainbow",
                                    "a thunderstorm",
                                    "the sun",
                                    "the moon",
                                    "stars in the sky",
                                    "a planet",
                                    "fire",
                                    "smoke",
                                    "an explosion",
                                    "ice",
                                    "a car",
                                    "a truck",
                                    "a bus",
                                    "a bicycle",
                                    "a motorcycle",
                                    "a train",
                                    "an airplane",
                                    "a helicopter",
                                    "a boat",
                                    "a ship",
                                    "a rocket",
                                    "a chair",
                                    "a table",
                                    "a bed",
                                    "a lamp",
                                    "a window",
                                    "a door",
                                    "a clock",
                                    "a mirror",
                                    "a book",
                                    "a newspaper",
                                    "a letter",
                                    "a pencil",
                                    "a computer",
                                    "a keyboard",
                                    "a telephone",
                                    "a camera",
                                    "a television",
                                    "a game",
                                    "cards",
                                    "dice",
                                    "a toy",
                                    "a ball",
                                    "football",
                                    "basketball",
                                    "tennis",
                                    "swimming",
                                    "running",
                                    "skiing",
                                    "a race",
                                    "a trophy",
                                    "a guitar",
                                    "a piano",
                                    "a drum",
                                    "dancing",
                                    "a concert",
                                    "a party",
                                    "a wedding",
                                    "a birthday",
                                    "Christmas",
                                    "a gift",
                                    "a balloon",
                                    "a hat",
                                    "a shirt",
                                    "a dress",
                                    "shoes",
                                    "a bag",
                                    "jewellery",
                                    "a crown",
                                    "glasses",
                                    "an umbrella",
                                    "a key",
                                    "a lock",
                                    "a knife",
                                    "a sword",
                                    "a gun",
                                    "a bomb",
                                    "a tool",
                                    "a hammer",
                                    "a box",
                                    "a bucket",
                                    "a basket",
                                    "money",
                                    "a coin",
                                    "a diamond",
                                    "a heart",
                                    "an arrow",
                                    "a circle",
                                    "a square",
                                    "a number",
                                    "a word",
                                    "a drawing",
                                    "a painting",
                                    "a statue",
                                    "a diagram",
                                    "a screenshot",
                                    "a document",
                                    "a poster",
                                    "a cartoon",
                                    "a logo",
                                    "a pattern",
                                    "a medicine",
                                    "a hospital",
                                    "a school",
                                    "science",
                                    "work",
                                    "love",
                                    "anger",
                                    "sadness",
                                    "laughing",
                                    "sleeping",
                                    "war",
                                    "peace",
                                    "music",
                                    "travel",
                                    "sport",
                                    "cooking"};

// Where nats_of() reaches that many.
double z_of_nats(double nats) {
  double low = 0;
  double high = std::sqrt(2 * nats) + 1;  // nats_of(z) >= z^2 / 2
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (nats_of(middle) < nats ? low : high) = middle;
  }
  return high;
}

constexpr double kMostNats = 10;

// Whether a thousandth of the pairs is beyond what chance would give the best of any number.
bool stand_out(const std::vector<float>& pairs) {
  if (pairs.empty()) return false;
  const CosineSpread spread = spread_of(pairs);
  const float most = spread.centre + static_cast<float>(z_of_nats(kMostNats)) * spread.spread;
  return static_cast<double>(std::ranges::count_if(pairs, [&](float it) { return it >= most; })) >=
         static_cast<double>(pairs.size()) / 1000;
}

struct Moments {
  double mean = 0;
  double deviation = 0;
};

Moments moments_of(std::span<const float> values) {
  const auto n = static_cast<double>(std::max<size_t>(1, values.size()));
  Moments moments;
  for (const float value : values) moments.mean += value / n;
  double squares = 0;
  for (const float value : values) squares += (value - moments.mean) * (value - moments.mean);
  moments.deviation = std::sqrt(squares / n);
  return moments;
}

// Every row's, the last one's too, which is not a prompt.
std::vector<float> distances_to_mean_prompt(const Matrix& prompts_and_query) {
  constexpr double kLeast = 1e-3;  // a single prompt is the mean
  const Matrix& rows = prompts_and_query;
  std::vector<double> mean(rows.columns());
  for (size_t i = 0; i + 1 < rows.rows(); ++i)
    for (size_t k = 0; k < mean.size(); ++k)
      mean[k] += rows.row(i)[k] / static_cast<double>(rows.rows() - 1);
  std::vector<float> distances;
  for (size_t i = 0; i < rows.rows(); ++i) {
    double squares = 0;
    for (size_t k = 0; k < mean.size(); ++k)
      squares += (rows.row(i)[k] - mean[k]) * (rows.row(i)[k] - mean[k]);
    distances.push_back(static_cast<float>(std::max(kLeast, std::sqrt(squares))));
  }
  return distances;
}

// distances: see distances_to_mean_prompt().
float demand_of_query(std::span<const float> distances) {
  constexpr float kLeast = 0.75f;
  constexpr float kMost = 1.5f;
  std::vector<float> prompts(distances.begin(), distances.end() - 1);
  if (prompts.empty()) return 1;
  const auto median = prompts.begin() + static_cast<ptrdiff_t>(prompts.size() / 2);
  std::ranges::nth_element(prompts, median);
  return std::sqrt(std::clamp(distances.back() / *median, kLeast, kMost));
}

}  // namespace

float chance_cosine(std::vector<float> pairs, size_t vectors) {
  constexpr double kChance = 0.01;
  constexpr double kSurePairs = 0.001;
  if (pairs.empty() || vectors == 0) return -1;
  const CosineSpread spread = spread_of(pairs);
  const double nats =
      std::clamp(std::log(static_cast<double>(vectors) / (2 * kChance)), 0.0, kMostNats);
  const auto z = static_cast<float>(z_of_nats(nats));
  const auto sure = pairs.begin() + static_cast<ptrdiff_t>(static_cast<double>(pairs.size() - 1) *
                                                           (1 - kSurePairs));
  std::ranges::nth_element(pairs, sure);
  return std::min(spread.centre + z * spread.spread, *sure);
}

std::span<const char* const> background_prompts() {
  return kPrompts;
}

Matrix background_vectors(const View& collection, EncoderSource& encoders) {
  const std::vector<std::string> prompts(std::begin(kPrompts), std::end(kPrompts));
  return prompt_vectors(collection, prompts, encoders);
}

Background::Background(const ViewVectors& vectors, const Matrix& prompts,
                       std::span<const float> query)
    : vectors_(vectors), prompts_(prompts.rows() + 1, prompts.columns()) {
  constexpr size_t kSample = 1024;
  for (size_t i = 0; i < prompts.rows(); ++i)
    std::ranges::copy(prompts.row(i), prompts_.row(i).begin());
  std::ranges::copy(query, prompts_.row(prompts.rows()).begin());
  const size_t count = prompts_.rows();
  std::vector<double> sums(count);
  std::vector<float> cosines(count);
  std::vector<float> pairs;
  const std::vector<Row> sample = vectors.sample(kSample);
  for (const Row row : sample) {
    vectors_.inner_products(row, 1, prompts_, cosines);
    for (size_t i = 0; i < count; ++i) sums[i] += cosines[i];
    pairs.insert(pairs.end(), cosines.begin(), cosines.end() - 1);  // without the query
  }
  if (stand_out(pairs)) {
    chance_of_best_ = chance_cosine(pairs, vectors.live());
    chance_of_one_ = chance_cosine(pairs, 1);
  }
  const auto n = static_cast<double>(std::max<size_t>(1, sample.size()));
  for (const double sum : sums) centres_.push_back(static_cast<float>(sum / n));
  distances_ = distances_to_mean_prompt(prompts_);
  demand_ = demand_of_query(distances_);
}

float Background::z_score(Row row) const {
  constexpr double kLeastSpread = 0.01;  // of the few prompts that a file may have
  std::vector<float> cosines(prompts_.rows());
  vectors_.inner_products(row, 1, prompts_, cosines);
  for (size_t i = 0; i < cosines.size(); ++i) cosines[i] -= centres_[i];
  const std::span<const float> of_prompts(cosines.begin(), cosines.end() - 1);
  const double shared = moments_of(of_prompts).mean;
  for (size_t i = 0; i < cosines.size(); ++i)
    cosines[i] = static_cast<float>((cosines[i] - shared) / distances_[i]);
  const Moments moments = moments_of(of_prompts);
  return static_cast<float>((cosines.back() - moments.mean) /
                            std::max(kLeastSpread, moments.deviation));
}

}  // namespace zeroshelf
