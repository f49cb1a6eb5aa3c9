#pragma once

// Groups of points that are near each other: k-means and silhouettes on all inner products of unit
// vectors, so that the cost does not go with their dimension.
//
// Threads: calls may run together. No result depends on the number of threads.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lib/util/matrix.h"

namespace zeroshelf {

struct Grouping {
  std::vector<uint32_t> of_point;  // below groups; each group has a point
  size_t groups = 0;
  double silhouette = 0;  // the mean over all points (Rousseeuw 1987), -1 to 1; 0 for one group
};

// points: unit vectors. Memory: 4 bytes for every two points, twice.
class Groupings {
 public:
  explicit Groupings(const Matrix& points, unsigned threads = 0);

  // With that number of groups (fewer where points are equal): 1 to the number of points.
  Grouping of(size_t groups) const;
  // The smallest number of groups, 1 to `most`, whose silhouette is nearly the best that any has.
  // One group where none parts the points.
  Grouping best(size_t most) const;

 private:
  double product(size_t i, size_t j) const {
    return static_cast<double>(products_[i * count_ + j]);
  }
  std::vector<uint32_t> seeded(size_t groups, uint64_t seed) const;
  double improve(std::vector<uint32_t>& of_point, size_t groups) const;
  double silhouette_of(const std::vector<uint32_t>& of_point, size_t groups) const;
  std::vector<Grouping> of_each(const std::vector<size_t>& numbers) const;

  size_t count_;
  unsigned threads_;
  std::vector<float> products_;   // [points, points]
  std::vector<float> distances_;  // the same
};

}  // namespace zeroshelf
