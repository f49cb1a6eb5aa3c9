#pragma once

// Multinomial logistic regression with an L2 penalty: a linear classifier learned from labelled
// feature vectors.
//
//   minimise over W, b:  mean over examples of -log softmax(W x + b)[class]
//                        + penalty / 2 * |W|^2 + penalty / 200 * |b|^2
//
// Features are centred by their mean first (which b takes up again), so that what all vectors have
// in common neither slows the fit nor is penalised.

#include <cstdint>
#include <span>
#include <vector>

#include "lib/evaluation/metrics.h"
#include "lib/util/matrix.h"

namespace zeroshelf {

struct LogisticExamples {
  Matrix features;                // [examples, features], finite
  std::vector<uint32_t> classes;  // one an example, below class_count
  uint32_t class_count = 0;       // at least 2
};

struct LinearModel {
  Matrix weights;             // [classes, features]
  std::vector<float> biases;  // one a class
};

// A fit on all examples. Deterministic: neither chance nor the number of threads (0: every core)
// changes the result.
LinearModel fit_logistic(const LogisticExamples& examples, double penalty, unsigned threads = 0);

// The most probable class and its probability.
CheckedAnswer checked_answer(const LinearModel& model, std::span<const float> features,
                             uint32_t truth);

struct CrossValidation {
  double penalty = 0;  // that of the least held-out loss
  uint32_t folds = 0;
  double log_loss = 0;  // mean -log probability of the true class, held out
  // One an example, in order, by a model that has not seen it. The penalty for each fold is chosen
  // by the other folds' losses, so that the choice does not flatter the figure.
  std::vector<CheckedAnswer> held_out;
};

// Tries penalties from 1e-1 down to 1e-6, until weaker ones are no better, on 5 folds, or fewer
// where the largest class is smaller. Needs at least two classes with two examples each. Features
// are centred by the mean of all. Cost: some 400 passes over the features.
CrossValidation choose_penalty(const LogisticExamples& examples, uint64_t seed,
                               unsigned threads = 0);

}  // namespace zeroshelf
