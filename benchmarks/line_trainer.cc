// Used by zeroshelf-train-lines.

#include "benchmarks/line_trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>

#include "lib/util/random.h"

namespace zeroshelf::train {
namespace {

using Shape = LineNetShape;

constexpr int kFilterOutputs = Shape::kFilters;

// What the forward pass leaves for the backward one.
struct Pass {
  int patches = 0;
  float values[Shape::kRows * Shape::kMostColumns];  // of the samples
  float filtered[Shape::kMostColumns / Shape::kStep][Shape::kFilters];
  int largest_at[Shape::kFilters];
  float seen[Shape::kSeen];
  float hidden[Shape::kHidden];
  float odds = 0;  // their logarithm
};

void forward(const float* weights, const LineSample& sample, Pass& pass) {
  const float* const bias = weights + Shape::kPatchInputs * kFilterOutputs;
  std::fill(std::begin(pass.seen), std::end(pass.seen), 0.0f);
  std::fill(std::begin(pass.largest_at), std::end(pass.largest_at), 0);
  pass.patches = 0;
  for (int left = 0; left + Shape::kPatchColumns <= sample.columns; left += Shape::kStep) {
    float* const sums = pass.filtered[pass.patches];
    std::copy_n(bias, kFilterOutputs, sums);
    const float* weight = weights;
    for (int y = 0; y < Shape::kRows; ++y) {
      for (int x = 0; x < Shape::kPatchColumns; ++x, weight += kFilterOutputs) {
        const float value = pass.values[y * sample.columns + left + x];
        for (int f = 0; f < kFilterOutputs; ++f) sums[f] += value * weight[f];
      }
    }
    for (int f = 0; f < kFilterOutputs; ++f) {
      sums[f] = std::max(sums[f], 0.0f);
      pass.seen[f] += sums[f];
      float& largest = pass.seen[kFilterOutputs + f];
      if (sums[f] > largest) {
        largest = sums[f];
        pass.largest_at[f] = pass.patches;
      }
    }
    ++pass.patches;
  }
  for (int f = 0; f < kFilterOutputs; ++f) pass.seen[f] /= static_cast<float>(pass.patches);
  std::copy_n(sample.features, Shape::kFeatures, pass.seen + 2 * kFilterOutputs);
  weights += Shape::kFilterWeights;
  std::copy_n(weights + Shape::kSeen * Shape::kHidden, Shape::kHidden, pass.hidden);
  for (int i = 0; i < Shape::kSeen; ++i) {
    for (int o = 0; o < Shape::kHidden; ++o)
      pass.hidden[o] += pass.seen[i] * weights[i * Shape::kHidden + o];
  }
  weights += Shape::kHiddenWeights;
  pass.odds = weights[Shape::kHidden];
  for (int i = 0; i < Shape::kHidden; ++i) {
    pass.hidden[i] = std::max(pass.hidden[i], 0.0f);
    pass.odds += pass.hidden[i] * weights[i];
  }
}

// Adds the gradient of the loss, whose slope by the odds is given.
void backward(const float* weights, const LineSample& sample, const Pass& pass, float slope,
              float* gradient) {
  const float* const hidden_weights = weights + Shape::kFilterWeights;
  const float* const last_weights = hidden_weights + Shape::kHiddenWeights;
  float* const hidden_gradient = gradient + Shape::kFilterWeights;
  float* const last_gradient = hidden_gradient + Shape::kHiddenWeights;
  float by_hidden[Shape::kHidden];
  for (int i = 0; i < Shape::kHidden; ++i) {
    last_gradient[i] += slope * pass.hidden[i];
    by_hidden[i] = pass.hidden[i] > 0 ? slope * last_weights[i] : 0;
    hidden_gradient[Shape::kSeen * Shape::kHidden + i] += by_hidden[i];
  }
  last_gradient[Shape::kHidden] += slope;
  float by_seen[Shape::kSeen] = {};
  for (int i = 0; i < Shape::kSeen; ++i) {
    for (int o = 0; o < Shape::kHidden; ++o) {
      hidden_gradient[i * Shape::kHidden + o] += by_hidden[o] * pass.seen[i];
      by_seen[i] += by_hidden[o] * hidden_weights[i * Shape::kHidden + o];
    }
  }
  float* const bias = gradient + Shape::kPatchInputs * kFilterOutputs;
  for (int patch = 0; patch < pass.patches; ++patch) {
    float by_filter[kFilterOutputs];
    for (int f = 0; f < kFilterOutputs; ++f) {
      const float by_largest = pass.largest_at[f] == patch ? by_seen[kFilterOutputs + f] : 0;
      by_filter[f] = pass.filtered[patch][f] > 0
                         ? by_seen[f] / static_cast<float>(pass.patches) + by_largest
                         : 0;
      bias[f] += by_filter[f];
    }
    float* to = gradient;
    for (int y = 0; y < Shape::kRows; ++y) {
      for (int x = 0; x < Shape::kPatchColumns; ++x, to += kFilterOutputs) {
        const float value = pass.values[y * sample.columns + patch * Shape::kStep + x];
        for (int f = 0; f < kFilterOutputs; ++f) to[f] += value * by_filter[f];
      }
    }
  }
}

void take_values(const LineSample& sample, Random* random, Pass& pass) {
  const int size = Shape::kRows * sample.columns;
  const bool on_its_head = random != nullptr && random->chance(0.25);
  const auto gain = static_cast<float>(random != nullptr ? random->uniform(0.75, 1.25) : 1);
  const auto lift = static_cast<float>(random != nullptr ? random->uniform(-0.2, 0.2) : 0);
  const double noise = random != nullptr && random->chance(0.5) ? random->uniform(0, 0.15) : 0;
  for (int i = 0; i < size; ++i) {
    const uint8_t look = sample.look[on_its_head ? size - 1 - i : i];
    float value = (static_cast<float>(look) - Shape::kAround) / Shape::kUnit * gain + lift;
    if (noise > 0) value += static_cast<float>(noise * random->uniform(-1, 1));
    pass.values[i] = std::clamp(value, -1.0f, 2.0f);
  }
}

std::vector<float> first_weights(Random& random) {
  std::vector<float> weights(Shape::kWeights);
  // A sum of four is as good as normal.
  const auto fill = [&](size_t first, size_t inputs, size_t outputs) {
    const double deviation = std::sqrt(2.0 / static_cast<double>(inputs));
    for (size_t i = 0; i < inputs * outputs; ++i) {
      double sum = 0;
      for (int j = 0; j < 4; ++j) sum += random.uniform(-1, 1);
      weights[first + i] = static_cast<float>(deviation * sum * std::sqrt(0.75));
    }
  };
  fill(0, Shape::kPatchInputs, kFilterOutputs);
  fill(Shape::kFilterWeights, Shape::kSeen, Shape::kHidden);
  fill(Shape::kFilterWeights + Shape::kHiddenWeights, Shape::kHidden, 1);
  return weights;
}

class Adam {
 public:
  explicit Adam(size_t count) : mean_(count), square_(count) {}

  void step(std::vector<float>& weights, const std::vector<float>& gradient, double rate) {
    constexpr float kMean = 0.9f;
    constexpr float kSquare = 0.999f;
    constexpr float kDecay = 0.1f;
    mean_power_ *= kMean;
    square_power_ *= kSquare;
    const auto scaled = static_cast<float>(rate * std::sqrt(1 - square_power_) / (1 - mean_power_));
    for (size_t i = 0; i < weights.size(); ++i) {
      mean_[i] = kMean * mean_[i] + (1 - kMean) * gradient[i];
      square_[i] = kSquare * square_[i] + (1 - kSquare) * gradient[i] * gradient[i];
      weights[i] -= scaled * mean_[i] / (std::sqrt(square_[i]) + 1e-8f) +
                    static_cast<float>(rate) * kDecay * weights[i];
    }
  }

 private:
  std::vector<float> mean_, square_;
  double mean_power_ = 1;
  double square_power_ = 1;
};

// How much of the held-out rest passes where so much of the held-out text does.
std::string errors_of(const std::vector<float>& weights,
                      const std::vector<const LineSample*>& samples) {
  std::vector<float> text, others;
  Pass pass;
  for (const LineSample* sample : samples) {
    take_values(*sample, nullptr, pass);
    forward(weights.data(), *sample, pass);
    (sample->is_text != 0 ? text : others).push_back(pass.odds);
  }
  if (text.empty() || others.empty()) return "";
  std::ranges::sort(text);
  std::string told;
  for (const double lost : {0.002, 0.005, 0.01, 0.02}) {
    const float bar = text[static_cast<size_t>(lost * static_cast<double>(text.size()))];
    const auto passing = std::ranges::count_if(others, [&](float odds) { return odds >= bar; });
    told += fmt::format("; {:.1f} % of text lost: {:.1f} % pass (at {:.3f})", 100 * lost,
                        100 * static_cast<double>(passing) / static_cast<double>(others.size()),
                        1 / (1 + std::exp(-bar)));
  }
  return told;
}

}  // namespace

std::vector<float> learn_lines(const std::vector<LineSample>& samples, int epochs,
                               const std::function<void(const std::string&)>& tell) {
  constexpr double kRate = 2e-3;
  constexpr size_t kBatch = 32;
  std::vector<const LineSample*> learned, held_out;
  for (const LineSample& sample : samples)
    (sample.is_held_out != 0 ? held_out : learned).push_back(&sample);
  Random random(3);
  std::vector<float> weights = first_weights(random);
  std::vector<float> gradient(weights.size());
  Adam adam(weights.size());
  Pass pass;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    for (size_t i = learned.size(); i > 1; --i) std::swap(learned[i - 1], learned[random.below(i)]);
    double loss = 0;
    for (size_t first = 0; first < learned.size(); first += kBatch) {
      std::ranges::fill(gradient, 0.0f);
      const size_t last = std::min(first + kBatch, learned.size());
      for (size_t i = first; i < last; ++i) {
        const LineSample& sample = *learned[i];
        take_values(sample, &random, pass);
        forward(weights.data(), sample, pass);
        const double probability = 1 / (1 + std::exp(-static_cast<double>(pass.odds)));
        const double target = sample.is_text != 0 ? 1 : 0;
        loss -= std::log(std::max(1e-9, target > 0 ? probability : 1 - probability));
        backward(weights.data(), sample, pass,
                 static_cast<float>((probability - target) / static_cast<double>(last - first)),
                 gradient.data());
      }
      const double done =
          (epoch + static_cast<double>(first) / static_cast<double>(learned.size())) / epochs;
      adam.step(weights, gradient, kRate * (1 + std::cos(std::numbers::pi * done)) / 2 + 1e-5);
    }
    tell(fmt::format("epoch {}: loss {:.4f}{}", epoch + 1,
                     loss / static_cast<double>(learned.size()), errors_of(weights, held_out)));
  }
  return weights;
}

}  // namespace zeroshelf::train
