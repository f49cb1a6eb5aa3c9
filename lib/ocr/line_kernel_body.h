// Inside lib/ocr: the body of the kernels, compiled once for each instruction set into a namespace
// of its own. Includes nothing that could leak code for one processor into other files.

#include "lib/ocr/line_kernel.h"

namespace {

using Shape = zeroshelf::LineNetShape;

inline float run(const uint8_t* samples, int columns, const float* features, const float* weights) {
  float seen[Shape::kSeen] = {};
  float* const mean = seen;
  float* const largest = seen + Shape::kFilters;
  const float* const filter_bias = weights + Shape::kPatchInputs * Shape::kFilters;
  int patches = 0;
  for (int left = 0; left + Shape::kPatchColumns <= columns; left += Shape::kStep, ++patches) {
    float sums[Shape::kFilters];
    for (int f = 0; f < Shape::kFilters; ++f) sums[f] = filter_bias[f];
    const float* weight = weights;
    for (int y = 0; y < Shape::kRows; ++y) {
      for (int x = 0; x < Shape::kPatchColumns; ++x, weight += Shape::kFilters) {
        const float value =
            (static_cast<float>(samples[y * columns + left + x]) - Shape::kAround) / Shape::kUnit;
        for (int f = 0; f < Shape::kFilters; ++f) sums[f] += value * weight[f];
      }
    }
    for (int f = 0; f < Shape::kFilters; ++f) {
      const float value = sums[f] > 0 ? sums[f] : 0;
      mean[f] += value;
      largest[f] = value > largest[f] ? value : largest[f];
    }
  }
  for (int f = 0; f < Shape::kFilters; ++f) mean[f] /= static_cast<float>(patches);
  for (int i = 0; i < Shape::kFeatures; ++i) seen[2 * Shape::kFilters + i] = features[i];
  weights += Shape::kFilterWeights;
  float hidden[Shape::kHidden];
  for (int o = 0; o < Shape::kHidden; ++o) hidden[o] = weights[Shape::kSeen * Shape::kHidden + o];
  for (int i = 0; i < Shape::kSeen; ++i) {
    for (int o = 0; o < Shape::kHidden; ++o) hidden[o] += seen[i] * weights[i * Shape::kHidden + o];
  }
  weights += Shape::kHiddenWeights;
  float sum = weights[Shape::kHidden];
  for (int i = 0; i < Shape::kHidden; ++i) sum += (hidden[i] > 0 ? hidden[i] : 0) * weights[i];
  return sum;
}

}  // namespace
