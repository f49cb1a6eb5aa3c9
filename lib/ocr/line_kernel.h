#pragma once

// Inside lib/ocr: the arithmetic of line_net.h, one function for each instruction set. No sum is
// contracted and each is made in one order, so that all give the same bits.

#include <cstddef>
#include <cstdint>

namespace zeroshelf {

// Patches of all rows and kPatchColumns columns, every kStep columns, each give kFilters numbers,
// none below zero. Their means and their largest over all patches, and the line's features, give
// kHidden numbers, and these the logarithm of the odds.
struct LineNetShape {
  static constexpr int kRows = 16;
  static constexpr int kMostColumns = 128;
  static constexpr int kPatchColumns = 12;
  static constexpr int kStep = 4;
  static constexpr int kFilters = 32;
  static constexpr int kFeatures = 13;
  static constexpr int kHidden = 24;

  // Samples as the network takes them.
  static constexpr float kAround = 85;
  static constexpr float kUnit = 85;

  // The weights in their order, each layer's before its biases; outputs of an input lie together.
  static constexpr int kPatchInputs = kRows * kPatchColumns;
  static constexpr int kSeen = 2 * kFilters + kFeatures;
  static constexpr size_t kFilterWeights = static_cast<size_t>(kPatchInputs + 1) * kFilters;
  static constexpr size_t kHiddenWeights = static_cast<size_t>(kSeen + 1) * kHidden;
  static constexpr size_t kWeights = kFilterWeights + kHiddenWeights + kHidden + 1;
};

// samples: 16 rows of `columns` (a multiple of 4, 12 to 128).
using LineKernel = float (*)(const uint8_t* samples, int columns, const float* features,
                             const float* weights);

float line_kernel_portable(const uint8_t* samples, int columns, const float* features,
                           const float* weights);
float line_kernel_avx2(const uint8_t* samples, int columns, const float* features,
                       const float* weights);

// The best of them on this processor.
LineKernel line_kernel();

}  // namespace zeroshelf
