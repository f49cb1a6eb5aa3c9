// Tested by tests/evaluation/logistic_test.cc.

#include "lib/evaluation/folds.h"

#include <algorithm>
#include <numeric>

#include "lib/util/random.h"

namespace zeroshelf {

std::vector<uint32_t> stratified_folds(std::span<const uint32_t> classes, uint32_t folds,
                                       uint64_t seed) {
  std::vector<size_t> order(classes.size());
  std::iota(order.begin(), order.end(), 0);
  Random random(seed);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return classes[a] < classes[b]; });
  // Dealt out in one round over all classes, so that small classes do not all begin at fold 0.
  std::vector<uint32_t> result(classes.size());
  for (size_t i = 0; i < order.size(); ++i) result[order[i]] = static_cast<uint32_t>(i % folds);
  return result;
}

}  // namespace zeroshelf
