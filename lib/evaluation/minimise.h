#pragma once

// The least value of a smooth function of many variables.

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace zeroshelf {

struct MinimiseOptions {
  size_t max_steps = 200;
  // Ends when the largest part of the gradient is below this.
  double gradient_tolerance = 1e-5;
};

struct Minimum {
  std::vector<double> at;
  double value = 0;
  size_t steps = 0;
};

// Writes the gradient and returns the value. The value is finite at the start.
using SmoothFunction =
    std::function<double(std::span<const double> at, std::span<double> gradient)>;

// L-BFGS (Nocedal 1980) with 10 pairs and a line search that halves until the value falls enough
// (Armijo). Never ends above where it started. Deterministic.
Minimum minimise(const SmoothFunction& function, std::vector<double> start,
                 const MinimiseOptions& options = {});

}  // namespace zeroshelf
