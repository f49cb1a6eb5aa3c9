#pragma once

// How sure a figure is that was measured on some pictures: intervals from resampling, and tests
// whether two ways of answering the same pictures differ.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace zeroshelf {

struct Interval {
  double low = 0;
  double high = 0;
};

struct ResamplingOptions {
  // 0: 2,000, and fewer (but never less than 200) when that would draw more than 200 million items.
  size_t resamples = 0;
  uint64_t seed = 1;
  unsigned threads = 0;  // 0: every core
};

// Fills `figures` from one resample: items are named by their places, as often as they were drawn.
// Called from several threads.
using Statistic = std::function<void(std::span<const uint32_t> drawn, std::span<double> figures)>;

// Draws as many items as there are, with replacement (Efron 1979), again and again, and gives the
// 95 % interval of each figure, from percentiles. Since all figures are taken of the same
// resamples, the interval of a difference between two of them is that of the paired bootstrap.
// Each resample follows from the seed and its number, so threads change nothing.
// items is at least 1 and below 2^32.
std::vector<Interval> bootstrap_intervals(size_t items, size_t figures, const Statistic& statistic,
                                          const ResamplingOptions& options);

// The same for the mean of some numbers; at least one.
Interval mean_interval(std::span<const double> values, const ResamplingOptions& options);

// Whether two ways that answered the same pictures are right equally often, from the pictures that
// only one of them got right: the exact two-sided p-value of McNemar's test, a binomial test with
// probability 1/2. 1 when there are no such pictures.
double mcnemar_p_value(uint64_t only_first, uint64_t only_second);

}  // namespace zeroshelf
