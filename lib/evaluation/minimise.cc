// L-BFGS, the two-loop recursion of Nocedal and Wright, Numerical Optimization, algorithm 7.4.
// Tested by tests/evaluation/logistic_test.cc.

#include "lib/evaluation/minimise.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>

namespace zeroshelf {
namespace {

constexpr size_t kPairs = 10;
constexpr int kHalvings = 30;
constexpr double kEnoughOfSlope = 1e-4;

double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double largest(std::span<const double> values) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

void add_scaled(std::vector<double>& to, double scale, std::span<const double> values) {
  for (size_t i = 0; i < to.size(); ++i) to[i] += scale * values[i];
}

// The last steps and what they changed in the gradient: an approximation of the inverse Hessian.
class Curvature {
 public:
  void learn(std::vector<double> step, std::vector<double> gradient_change) {
    const double product = dot(step, gradient_change);
    if (product <= 1e-12 * std::sqrt(dot(step, step) * dot(gradient_change, gradient_change)))
      return;
    pairs_.push_back({std::move(step), std::move(gradient_change), 1 / product});
    if (pairs_.size() > kPairs) pairs_.pop_front();
  }
  void forget() { pairs_.clear(); }
  bool knows_nothing() const { return pairs_.empty(); }

  // The direction in which to go down.
  std::vector<double> direction(std::span<const double> gradient) const {
    std::vector<double> q(gradient.begin(), gradient.end());
    std::vector<double> alphas(pairs_.size());
    for (size_t i = pairs_.size(); i-- > 0;) {
      alphas[i] = pairs_[i].rho * dot(pairs_[i].step, q);
      add_scaled(q, -alphas[i], pairs_[i].change);
    }
    const double scale =
        pairs_.empty() ? 1 / std::max(1.0, std::sqrt(dot(gradient, gradient)))
                       : 1 / (pairs_.back().rho * dot(pairs_.back().change, pairs_.back().change));
    for (double& value : q) value *= -scale;
    for (size_t i = 0; i < pairs_.size(); ++i)
      add_scaled(q, -alphas[i] - pairs_[i].rho * dot(pairs_[i].change, q), pairs_[i].step);
    return q;
  }

 private:
  struct Pair {
    std::vector<double> step;
    std::vector<double> change;
    double rho;
  };
  std::deque<Pair> pairs_;
};

}  // namespace

Minimum minimise(const SmoothFunction& function, std::vector<double> start,
                 const MinimiseOptions& options) {
  Minimum best{std::move(start), 0, 0};
  std::vector<double> gradient(best.at.size());
  std::vector<double> new_gradient(best.at.size());
  best.value = function(best.at, gradient);
  Curvature curvature;
  while (best.steps < options.max_steps && largest(gradient) > options.gradient_tolerance) {
    std::vector<double> direction = curvature.direction(gradient);
    double slope = dot(direction, gradient);
    double length = 1;
    double value = best.value;
    std::vector<double> at;
    int halvings = 0;
    for (; halvings < kHalvings; ++halvings, length /= 2) {
      at = best.at;
      add_scaled(at, length, direction);
      value = function(at, new_gradient);
      if (value <= best.value + kEnoughOfSlope * length * slope) break;
    }
    if (halvings == kHalvings) {
      if (curvature.knows_nothing()) break;
      curvature.forget();  // once more along the gradient
      continue;
    }
    std::vector<double> change = new_gradient;
    add_scaled(change, -1, gradient);
    for (double& part : direction) part *= length;
    curvature.learn(std::move(direction), std::move(change));
    best.at = std::move(at);
    best.value = value;
    gradient.swap(new_gradient);
    ++best.steps;
  }
  return best;
}

}  // namespace zeroshelf
