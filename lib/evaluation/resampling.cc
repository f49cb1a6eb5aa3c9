// The bootstrap and McNemar's test. Tested by tests/evaluation/resampling_test.cc.

#include "lib/evaluation/resampling.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "lib/util/parallel.h"
#include "lib/util/random.h"

namespace zeroshelf {
namespace {

constexpr size_t kResamples = 2000;
constexpr size_t kFewestResamples = 200;
constexpr size_t kMostDraws = 200'000'000;

size_t resamples_for(size_t items, size_t wanted) {
  return wanted > 0 ? wanted : std::clamp(kMostDraws / items, kFewestResamples, kResamples);
}

Interval percentiles(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[static_cast<size_t>(std::lround(share * static_cast<double>(values.size() - 1)))];
  };
  return {at(0.025), at(0.975)};
}

}  // namespace

std::vector<Interval> bootstrap_intervals(size_t items, size_t figures, const Statistic& statistic,
                                          const ResamplingOptions& options) {
  assert(items > 0 && items < (uint64_t{1} << 32));
  const size_t resamples = resamples_for(items, options.resamples);
  std::vector<std::vector<double>> values(figures, std::vector<double>(resamples));
  parallel_chunks(resamples, 8, options.threads, [&](size_t begin, size_t end) {
    std::vector<uint32_t> drawn(items);
    std::vector<double> of_one(figures);
    for (size_t i = begin; i < end; ++i) {
      Random random = Random::of_item(options.seed, i);
      for (uint32_t& place : drawn) place = static_cast<uint32_t>(random.below(items));
      statistic(drawn, of_one);
      for (size_t f = 0; f < figures; ++f) values[f][i] = of_one[f];
    }
  });
  std::vector<Interval> intervals;
  for (std::vector<double>& of_figure : values)
    intervals.push_back(percentiles(std::move(of_figure)));
  return intervals;
}

Interval mean_interval(std::span<const double> values, const ResamplingOptions& options) {
  const auto mean = [&](std::span<const uint32_t> drawn, std::span<double> figures) {
    double sum = 0;
    for (const uint32_t place : drawn) sum += values[place];
    figures[0] = sum / static_cast<double>(drawn.size());
  };
  return bootstrap_intervals(values.size(), 1, mean, options)[0];
}

double mcnemar_p_value(uint64_t only_first, uint64_t only_second) {
  const auto trials = static_cast<double>(only_first + only_second);
  const uint64_t fewer = std::min(only_first, only_second);
  double tail = 0;
  for (uint64_t k = 0; k <= fewer; ++k) {
    const auto successes = static_cast<double>(k);
    tail += std::exp(std::lgamma(trials + 1) - std::lgamma(successes + 1) -
                     std::lgamma(trials - successes + 1) - trials * std::log(2.0));
  }
  return std::min(1.0, 2 * tail);
}

}  // namespace zeroshelf
