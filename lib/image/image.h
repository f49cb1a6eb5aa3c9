#pragma once

// Pixels in memory.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace zeroshelf {

// 8-bit RGB, row-major, three bytes a pixel, no padding, top row first, upright.
struct Image {
  int width_px = 0;
  int height_px = 0;
  std::vector<uint8_t> rgb;

  std::span<const uint8_t> row(int y) const {
    return {rgb.data() + static_cast<size_t>(y) * width_px * 3, static_cast<size_t>(width_px) * 3};
  }
};

}  // namespace zeroshelf
