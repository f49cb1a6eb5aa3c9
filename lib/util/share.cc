// Tested by tests/util/share_test.cc.

#include "lib/util/share.h"

#include <algorithm>
#include <cmath>

namespace zeroshelf {
namespace {

constexpr double kZ = 1.959963984540054;  // two-sided 95 % of the normal distribution

struct Interval {
  double middle = 0.5;
  double half_width = 0.5;
};

Interval wilson(const Share& share) {
  if (share.trials == 0) return {};
  const auto n = static_cast<double>(share.trials);
  const double p = share.value();
  const double shrink = 1 + kZ * kZ / n;
  return {(p + kZ * kZ / (2 * n)) / shrink,
          kZ * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n)) / shrink};
}

}  // namespace

double Share::value() const {
  return trials == 0 ? 0 : static_cast<double>(good) / static_cast<double>(trials);
}

double Share::low() const {
  const Interval interval = wilson(*this);
  return std::max(interval.middle - interval.half_width, 0.0);
}

double Share::high() const {
  const Interval interval = wilson(*this);
  return std::min(interval.middle + interval.half_width, 1.0);
}

}  // namespace zeroshelf
