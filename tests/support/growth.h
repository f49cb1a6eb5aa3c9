#pragma once

// How the time of a piece of work grows with its input, so that a test can tell a linear reader
// from a quadratic one on a machine that does other work beside it.

#include <time.h>

#include <algorithm>
#include <limits>
#include <string>

namespace zeroshelf::testing {

inline double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// The processor time of read(make(4 * size)) in times of that of read(make(size)), each the least
// of a few in turns: about 4 to 6 for linear work, 16 for quadratic work. size: such that one
// reading takes some milliseconds at least.
template <class Make, class Read>
double growth_over_four_sizes(size_t size, const Make& make, const Read& read) {
  constexpr int kTurns = 5;
  double least[2];
  std::ranges::fill(least, std::numeric_limits<double>::infinity());
  const auto inputs = {make(size), make(4 * size)};
  for (int turn = 0; turn < kTurns; ++turn) {
    double* least_of = least;
    for (const auto& input : inputs) {
      const double start = processor_seconds();
      read(input);
      *least_of = std::min(*least_of, processor_seconds() - start);
      ++least_of;
    }
  }
  return least[1] / least[0];
}

// Between linear and quadratic. (Trees outgrow the caches meanwhile: up to 12 was seen on a busy machine; quadratic is 16.)
inline constexpr double kLinearGrowth = 13;

}  // namespace zeroshelf::testing
