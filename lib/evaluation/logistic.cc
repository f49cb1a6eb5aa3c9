// Logistic regression by L-BFGS. Tested by tests/evaluation/logistic_test.cc.

#include "lib/evaluation/logistic.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>

#include "lib/evaluation/folds.h"
#include "lib/evaluation/minimise.h"
#include "lib/util/parallel.h"

namespace zeroshelf {
namespace {

constexpr uint32_t kFolds = 5;
constexpr double kBiasShare = 0.01;  // of the penalty
constexpr std::array<double, 11> kPenalties = {1e-1, 3.2e-2, 1e-2, 3.2e-3, 1e-3, 3.2e-4,
                                               1e-4, 3.2e-5, 1e-5, 3.2e-6, 1e-6};
constexpr MinimiseOptions kFinalFit = {.max_steps = 300, .gradient_tolerance = 1e-6};
constexpr MinimiseOptions kTrialFit = {.max_steps = 25, .gradient_tolerance = 3e-4};
// Partial gradients are summed in this many pieces, in order, whatever the threads.
constexpr size_t kPieces = 16;
constexpr size_t kLanes = 16;

// Lanes of their own, so that the compiler may use vector registers without reordering a sum. The
// same arithmetic with 16-byte and 32-byte registers, so the machine changes no result.
[[gnu::always_inline]] inline float inner_product_lanes(const float* a, const float* b,
                                                        size_t size) {
  std::array<float, kLanes> sums{};
  size_t i = 0;
  for (; i + kLanes <= size; i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  float sum = std::accumulate(sums.begin(), sums.end(), 0.0f);
  for (; i < size; ++i) sum += a[i] * b[i];
  return sum;
}

[[gnu::always_inline]] inline void add_scaled_lanes(float* to, float scale, const float* values,
                                                    size_t size) {
  for (size_t i = 0; i < size; ++i) to[i] += scale * values[i];
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] float inner_product_avx2(const float* a, const float* b, size_t size) {
  return inner_product_lanes(a, b, size);
}
[[gnu::target("avx2")]] void add_scaled_avx2(float* to, float scale, const float* values,
                                             size_t size) {
  add_scaled_lanes(to, scale, values, size);
}
const bool kHasAvx2 = __builtin_cpu_supports("avx2");
#else
constexpr bool kHasAvx2 = false;
constexpr auto inner_product_avx2 = inner_product_lanes;
constexpr auto add_scaled_avx2 = add_scaled_lanes;
#endif

float inner_product(const float* a, const float* b, size_t size) {
  return kHasAvx2 ? inner_product_avx2(a, b, size) : inner_product_lanes(a, b, size);
}

void add_scaled(float* to, float scale, const float* values, size_t size) {
  kHasAvx2 ? add_scaled_avx2(to, scale, values, size) : add_scaled_lanes(to, scale, values, size);
}

// Logits become probabilities. Returns log of the sum of exp(logit).
double softmax_in_place(std::span<double> logits) {
  const double most = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (double& logit : logits) sum += logit = std::exp(logit - most);
  for (double& value : logits) value /= sum;
  return most + std::log(sum);
}

// The features less their mean.
struct Centred {
  explicit Centred(const Matrix& features) : mean(features.columns()), rows(features) {
    std::vector<double> sums(features.columns());
    for (size_t i = 0; i < features.rows(); ++i)
      for (size_t j = 0; j < sums.size(); ++j) sums[j] += features.row(i)[j];
    for (size_t j = 0; j < sums.size(); ++j)
      mean[j] = static_cast<float>(sums[j] / static_cast<double>(features.rows()));
    for (size_t i = 0; i < features.rows(); ++i)
      for (size_t j = 0; j < sums.size(); ++j) rows.row(i)[j] -= mean[j];
  }

  std::vector<float> mean;
  Matrix rows;
};

// The loss on some of the examples. What it is made of must outlive it.
class Problem {
 public:
  Problem(const LogisticExamples& examples, const Centred& centred, std::vector<size_t> chosen,
          unsigned threads)
      : examples_(examples),
        centred_(centred),
        features_(examples.features.columns()),
        class_count_(examples.class_count),
        threads_(threads),
        chosen_(std::move(chosen)) {}

  size_t variables() const { return class_count_ * (features_ + 1); }

  // The penalised mean loss at [W, b], row by row of W, then b.
  double operator()(std::span<const double> at, std::span<double> gradient, double penalty) const {
    const std::vector<float> weights(at.begin(), at.end());
    std::array<Piece, kPieces> pieces;
    parallel_chunks(kPieces, 1, threads_, [&](size_t begin, size_t end) {
      for (size_t p = begin; p < end; ++p) pieces[p] = piece(p, weights, at);
    });
    double value = 0;
    std::fill(gradient.begin(), gradient.end(), 0);
    const double share = 1 / static_cast<double>(chosen_.size());
    for (const Piece& it : pieces) {
      value += it.loss * share;
      for (size_t i = 0; i < gradient.size(); ++i) gradient[i] += share * it.gradient[i];
    }
    const size_t first_bias = class_count_ * features_;
    for (size_t i = 0; i < gradient.size(); ++i) {
      const double of_it = i < first_bias ? penalty : penalty * kBiasShare;
      value += of_it / 2 * at[i] * at[i];
      gradient[i] += of_it * at[i];
    }
    return value;
  }

  // For features that are not centred.
  LinearModel model(std::span<const double> at) const {
    LinearModel model{Matrix(class_count_, features_), {}};
    for (uint32_t k = 0; k < class_count_; ++k) {
      double bias = at[class_count_ * features_ + k];
      for (size_t j = 0; j < features_; ++j) {
        const double weight = at[k * features_ + j];
        model.weights.row(k)[j] = static_cast<float>(weight);
        bias -= weight * centred_.mean[j];
      }
      model.biases.push_back(static_cast<float>(bias));
    }
    return model;
  }

 private:
  struct Piece {
    double loss = 0;
    std::vector<float> gradient;
  };

  Piece piece(size_t number, const std::vector<float>& weights, std::span<const double> at) const {
    Piece result{0, std::vector<float>(variables())};
    const size_t first_bias = class_count_ * features_;
    std::vector<double> logits(class_count_);
    const size_t end = (number + 1) * chosen_.size() / kPieces;
    for (size_t i = number * chosen_.size() / kPieces; i < end; ++i) {
      const float* x = centred_.rows.row(chosen_[i]).data();
      const uint32_t truth = examples_.classes[chosen_[i]];
      for (uint32_t k = 0; k < class_count_; ++k)
        logits[k] =
            inner_product(weights.data() + k * features_, x, features_) + at[first_bias + k];
      const double of_truth = logits[truth];
      result.loss += softmax_in_place(logits) - of_truth;
      for (uint32_t k = 0; k < class_count_; ++k) {
        const auto residual = static_cast<float>(logits[k] - (k == truth ? 1 : 0));
        add_scaled(result.gradient.data() + k * features_, residual, x, features_);
        result.gradient[first_bias + k] += residual;
      }
    }
    return result;
  }

  const LogisticExamples& examples_;
  const Centred& centred_;
  size_t features_;
  uint32_t class_count_;
  unsigned threads_;
  std::vector<size_t> chosen_;
};

std::vector<double> fit(const Problem& problem, double penalty, std::vector<double> start,
                        const MinimiseOptions& options) {
  const auto loss = [&](std::span<const double> at, std::span<double> gradient) {
    return problem(at, gradient, penalty);
  };
  return minimise(loss, std::move(start), options).at;
}

std::vector<double> probabilities(const LinearModel& model, std::span<const float> features) {
  std::vector<double> logits(model.biases.size());
  for (size_t k = 0; k < logits.size(); ++k) {
    logits[k] = inner_product(model.weights.row(k).data(), features.data(), features.size()) +
                static_cast<double>(model.biases[k]);
  }
  softmax_in_place(logits);
  return logits;
}

CheckedAnswer checked_answer(std::span<const double> of_classes, uint32_t truth) {
  const auto best = std::max_element(of_classes.begin(), of_classes.end());
  return {truth, static_cast<uint32_t>(best - of_classes.begin()), static_cast<float>(*best)};
}

std::vector<size_t> all_but(std::span<const uint32_t> fold_of, uint32_t fold) {
  std::vector<size_t> places;
  for (size_t i = 0; i < fold_of.size(); ++i)
    if (fold_of[i] != fold) places.push_back(i);
  return places;
}

uint32_t folds_for(const LogisticExamples& examples) {
  std::vector<uint32_t> sizes(examples.class_count);
  for (const uint32_t of : examples.classes) ++sizes[of];
  return std::clamp(*std::max_element(sizes.begin(), sizes.end()), 2u, kFolds);
}

// What one example got at each penalty from a model that has not seen it.
struct Trial {
  CheckedAnswer answer;
  double loss = 0;
};

// The folds' models go from strong penalties to weak ones, each fit beginning at the last one's
// end.
class Path {
 public:
  Path(const LogisticExamples& examples, std::span<const uint32_t> fold_of, uint32_t folds,
       unsigned threads)
      : examples_(examples), fold_of_(fold_of), centred_(examples.features) {
    for (uint32_t fold = 0; fold < folds; ++fold) {
      problems_.emplace_back(examples, centred_, all_but(fold_of, fold), threads);
      at_.emplace_back(problems_.back().variables());
    }
  }

  // The trials of all examples at the next penalty, and their mean loss.
  std::pair<std::vector<Trial>, double> next(double penalty) {
    std::vector<Trial> trials(fold_of_.size());
    double sum = 0;
    std::vector<LinearModel> models;
    for (size_t fold = 0; fold < problems_.size(); ++fold) {
      at_[fold] = fit(problems_[fold], penalty, std::move(at_[fold]), kTrialFit);
      models.push_back(problems_[fold].model(at_[fold]));
    }
    for (size_t i = 0; i < trials.size(); ++i) {
      const uint32_t truth = examples_.classes[i];
      const auto of_classes = probabilities(models[fold_of_[i]], examples_.features.row(i));
      trials[i] = {checked_answer(of_classes, truth),
                   -std::log(std::max(of_classes[truth], 1e-300))};
      sum += trials[i].loss;
    }
    return {std::move(trials), sum / static_cast<double>(trials.size())};
  }

 private:
  const LogisticExamples& examples_;
  std::span<const uint32_t> fold_of_;
  Centred centred_;
  std::vector<Problem> problems_;
  std::vector<std::vector<double>> at_;
};

// One list of trials a penalty; ends where two weaker ones in a row were no better.
std::vector<std::vector<Trial>> try_penalties(Path path) {
  std::vector<std::vector<Trial>> tried;
  double least = std::numeric_limits<double>::infinity();
  size_t worse = 0;
  for (const double penalty : kPenalties) {
    auto [trials, loss] = path.next(penalty);
    tried.push_back(std::move(trials));
    worse = loss < least ? 0 : worse + 1;
    least = std::min(least, loss);
    if (worse == 2) break;
  }
  return tried;
}

// The penalty of the least loss, and that mean loss; examples of the fold `without` do not count.
std::pair<size_t, double> best_penalty(const std::vector<std::vector<Trial>>& tried,
                                       std::span<const uint32_t> fold_of, uint32_t without) {
  std::pair<size_t, double> best{0, std::numeric_limits<double>::infinity()};
  for (size_t p = 0; p < tried.size(); ++p) {
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < fold_of.size(); ++i) {
      if (fold_of[i] == without) continue;
      sum += tried[p][i].loss;
      ++count;
    }
    if (sum / static_cast<double>(count) < best.second)
      best = {p, sum / static_cast<double>(count)};
  }
  return best;
}

}  // namespace

LinearModel fit_logistic(const LogisticExamples& examples, double penalty, unsigned threads) {
  assert(examples.class_count >= 2 && examples.features.rows() == examples.classes.size());
  std::vector<size_t> all(examples.classes.size());
  std::iota(all.begin(), all.end(), 0);
  const Centred centred(examples.features);
  const Problem problem(examples, centred, std::move(all), threads);
  return problem.model(fit(problem, penalty, std::vector<double>(problem.variables()), kFinalFit));
}

CheckedAnswer checked_answer(const LinearModel& model, std::span<const float> features,
                             uint32_t truth) {
  return checked_answer(probabilities(model, features), truth);
}

CrossValidation choose_penalty(const LogisticExamples& examples, uint64_t seed, unsigned threads) {
  CrossValidation result;
  result.folds = folds_for(examples);
  const std::vector<uint32_t> fold_of = stratified_folds(examples.classes, result.folds, seed);
  const auto tried = try_penalties(Path(examples, fold_of, result.folds, threads));
  const auto [best, loss] = best_penalty(tried, fold_of, result.folds);
  result.penalty = kPenalties[best];
  result.log_loss = loss;
  std::vector<size_t> of_fold;
  for (uint32_t fold = 0; fold < result.folds; ++fold)
    of_fold.push_back(best_penalty(tried, fold_of, fold).first);
  for (size_t i = 0; i < fold_of.size(); ++i)
    result.held_out.push_back(tried[of_fold[fold_of[i]]][i].answer);
  return result;
}

}  // namespace zeroshelf
