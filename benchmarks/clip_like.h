#pragma once

// Vectors that lie as CLIP's do, for searching among a million of them without a model. What was
// taken from true ones (of ViT-B/32): pictures and texts each lie
// in a narrow cone around a mean of their own, the two means a wide angle apart; what differs from
// the mean has few strong directions and many weak ones; it is sorted into topics, some of which
// have far more pictures than others; and a text's vector is only a little nearer to the pictures
// of its topic than to others.

#include <cstddef>
#include <span>
#include <vector>

#include "lib/util/matrix.h"
#include "lib/util/random.h"

namespace zeroshelf {

class ClipLike {
 public:
  static constexpr size_t kDimension = 512;

  explicit ClipLike(uint64_t seed);

  // A topic by chance: the n-th about 1/n as often as the first (Zipf 1949).
  size_t topic(Random& random) const;

  // Unit vectors of one more picture or text of a topic.
  std::vector<float> picture(size_t topic, Random& random) const;
  std::vector<float> text(size_t topic, Random& random) const;

 private:
  static constexpr size_t kTopics = 20'000;

  std::vector<float> one_more(std::span<const float> topic, std::span<const float> mean,
                              float mean_part, Random& random) const;
  // A unit vector, as a deviation from a mean may be.
  std::vector<float> spread_by_chance(Random& random) const;
  void turn(std::vector<float>& vector) const;

  std::vector<double> shares_;    // of the topics, summed up
  std::vector<float> strengths_;  // of the directions
  std::vector<float> signs_;      // of the turning
  Matrix pictures_;               // [topics, dimension]
  Matrix texts_;                  // a part of it is the pictures'
  std::vector<float> picture_mean_;
  std::vector<float> text_mean_;
};

}  // namespace zeroshelf
