#pragma once

// 16-bit floats (IEEE 754 binary16), in which vectors are stored.

#include <cstddef>
#include <cstdint>
#include <span>

namespace zeroshelf {

// Round to nearest, ties to even; and back, exactly. Both spans have the same size. The same bits
// on every processor.
void to_fp16(std::span<const float> values, std::span<uint16_t> out);
void from_fp16(std::span<const uint16_t> halves, std::span<float> out);

}  // namespace zeroshelf
