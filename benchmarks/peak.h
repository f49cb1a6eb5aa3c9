#pragma once

// What the processor could multiply at most: multiply-adds of numbers that lie in its registers, as
// no multiplication of matrices can do, whose numbers come from memory.

#include <optional>

namespace zeroshelf {

// Multiply-adds per second of all cores together, in bfloat16 (by AMX or AVX512-BF16) or in fp32
// (by AVX-512 or AVX2); measured for a fifth of a second or so. Nothing where the processor has
// none of them.
std::optional<double> peak_multiply_adds(bool in_bf16);

// The same of the calling thread alone, a second of the processor's time.
std::optional<double> peak_multiply_adds_of_one_thread(bool in_bf16);

}  // namespace zeroshelf
