// Tested by tests/labelling/grouping_test.cc.

#include "lib/labelling/grouping.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "lib/util/parallel.h"
#include "lib/util/random.h"

namespace zeroshelf {
namespace {

constexpr size_t kTries = 5;
constexpr int kMostRounds = 30;
// A silhouette is nearly the best one from this share of it on.
constexpr double kNearly = 0.95;

// Sums in eight lanes, whose order the compiler may not choose.
float inner_product(std::span<const float> a, std::span<const float> b) {
  constexpr size_t kLanes = 8;
  float lanes[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= a.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += a[i + lane] * b[i + lane];
  }
  float sum = 0;
  for (const float lane : lanes) sum += lane;
  for (; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// Numbers that lie ever further apart, since the more groups there are the less one more changes.
std::vector<size_t> numbers_up_to(size_t most) {
  std::vector<size_t> numbers;
  for (size_t number = 2; number <= most; number += std::max<size_t>(1, number / 8))
    numbers.push_back(number);
  return numbers;
}

// Without groups that have no point.
size_t renumber(std::vector<uint32_t>& of_point, size_t groups) {
  std::vector<uint32_t> numbers(groups, std::numeric_limits<uint32_t>::max());
  uint32_t next = 0;
  for (uint32_t& group : of_point) {
    if (numbers[group] == std::numeric_limits<uint32_t>::max()) numbers[group] = next++;
    group = numbers[group];
  }
  return next;
}

std::vector<double> sizes_of(const std::vector<uint32_t>& of_point, size_t groups) {
  std::vector<double> sizes(groups);
  for (const uint32_t group : of_point) ++sizes[group];
  return sizes;
}

}  // namespace

Groupings::Groupings(const Matrix& points, unsigned threads)
    : count_(points.rows()),
      threads_(threads),
      products_(count_ * count_),
      distances_(count_ * count_) {
  parallel_chunks(count_, 8, threads_, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      for (size_t j = 0; j < count_; ++j) {
        const float product = inner_product(points.row(std::min(i, j)), points.row(std::max(i, j)));
        products_[i * count_ + j] = product;
        distances_[i * count_ + j] = std::sqrt(std::max(0.0f, 2 - 2 * product));
      }
    }
  });
}

// k-means++ (Arthur and Vassilvitskii 2007): each point to the nearest of the drawn ones.
std::vector<uint32_t> Groupings::seeded(size_t groups, uint64_t seed) const {
  Random random(seed);
  std::vector<uint32_t> of_point(count_);
  std::vector<double> squares(count_, std::numeric_limits<double>::infinity());
  size_t drawn = random.below(count_);
  for (uint32_t group = 0;; ++group) {
    for (size_t i = 0; i < count_; ++i) {
      const double square = std::max(0.0, 2 - 2 * product(drawn, i));
      if (square >= squares[i]) continue;
      squares[i] = square;
      of_point[i] = group;
    }
    if (group + 1 == groups) return of_point;
    double left = random.uniform() * std::accumulate(squares.begin(), squares.end(), 0.0);
    drawn = 0;
    while (drawn + 1 < count_ && (left -= squares[drawn]) > 0) ++drawn;
  }
}

// Lloyd's rounds. Returns the sum of squared distances from the means, less the points' number.
double Groupings::improve(std::vector<uint32_t>& of_point, size_t groups) const {
  std::vector<double> sums(count_ * groups);
  double cost = 0;
  for (int round = 0; round < kMostRounds; ++round) {
    std::ranges::fill(sums, 0.0);
    std::vector<double> squares(groups);  // of the means
    const std::vector<double> sizes = sizes_of(of_point, groups);
    for (size_t i = 0; i < count_; ++i) {
      double* sum = sums.data() + i * groups;
      for (size_t j = 0; j < count_; ++j) sum[of_point[j]] += product(i, j);
      squares[of_point[i]] += sum[of_point[i]];
    }
    for (size_t group = 0; group < groups; ++group)
      squares[group] /= std::max(1.0, sizes[group] * sizes[group]);
    bool changed = false;
    cost = 0;
    for (size_t i = 0; i < count_; ++i) {
      double best = std::numeric_limits<double>::infinity();
      uint32_t nearest = of_point[i];
      for (uint32_t group = 0; group < groups; ++group) {
        if (sizes[group] == 0) continue;
        const double square = squares[group] - 2 * sums[i * groups + group] / sizes[group];
        if (square >= best) continue;
        best = square;
        nearest = group;
      }
      cost += best;
      changed = changed || nearest != of_point[i];
      of_point[i] = nearest;
    }
    if (!changed) break;
  }
  return cost;
}

double Groupings::silhouette_of(const std::vector<uint32_t>& of_point, size_t groups) const {
  if (groups < 2) return 0;
  const std::vector<double> sizes = sizes_of(of_point, groups);
  double all = 0;
  std::vector<double> sums(groups);
  for (size_t i = 0; i < count_; ++i) {
    const uint32_t own = of_point[i];
    if (sizes[own] < 2) continue;
    std::ranges::fill(sums, 0.0);
    for (size_t j = 0; j < count_; ++j)
      sums[of_point[j]] += static_cast<double>(distances_[i * count_ + j]);
    double nearest = std::numeric_limits<double>::infinity();
    for (size_t group = 0; group < groups; ++group) {
      if (group != own) nearest = std::min(nearest, sums[group] / sizes[group]);
    }
    const double within = sums[own] / (sizes[own] - 1);
    if (const double larger = std::max(nearest, within); larger > 0)
      all += (nearest - within) / larger;
  }
  return all / static_cast<double>(count_);
}

std::vector<Grouping> Groupings::of_each(const std::vector<size_t>& numbers) const {
  struct Try {
    std::vector<uint32_t> of_point;
    double cost = 0;
  };
  std::vector<Try> tries(numbers.size() * kTries);
  parallel_chunks(tries.size(), 1, threads_, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const size_t groups = numbers[i / kTries];
      tries[i].of_point = seeded(groups, 1 + i % kTries);
      tries[i].cost = improve(tries[i].of_point, groups);
    }
  });
  std::vector<Grouping> groupings(numbers.size());
  parallel_chunks(numbers.size(), 1, threads_, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const auto best = std::min_element(
          tries.begin() + static_cast<ptrdiff_t>(i * kTries),
          tries.begin() + static_cast<ptrdiff_t>((i + 1) * kTries),
          [](const Try& a, const Try& b) { return a.cost < b.cost; });
      groupings[i].of_point = std::move(best->of_point);
      groupings[i].groups = renumber(groupings[i].of_point, numbers[i]);
      groupings[i].silhouette = silhouette_of(groupings[i].of_point, groupings[i].groups);
    }
  });
  return groupings;
}

Grouping Groupings::of(size_t groups) const {
  return of_each({groups}).front();
}

Grouping Groupings::best(size_t most) const {
  std::vector<Grouping> groupings = of_each(numbers_up_to(most));
  double best = 0;
  for (const Grouping& grouping : groupings) best = std::max(best, grouping.silhouette);
  for (Grouping& grouping : groupings) {
    if (best > 0 && grouping.silhouette >= kNearly * best) return std::move(grouping);
  }
  return {std::vector<uint32_t>(count_), count_ > 0 ? size_t{1} : 0, 0};
}

}  // namespace zeroshelf
