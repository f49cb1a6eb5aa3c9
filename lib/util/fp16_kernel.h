#pragma once

// Inside lib/util/fp16.cc and lib/vectors: the conversions for single instruction sets. Includes
// nothing whose code could leak out of files that are compiled for more than the base one.

#include <cstddef>
#include <cstdint>

namespace zeroshelf::kernel {

// Exact; rounding to nearest, ties to even.
void to_fp16_portable(const float* values, size_t count, uint16_t* out);
void from_fp16_portable(const uint16_t* halves, size_t count, float* out);
void to_fp16_avx2(const float* values, size_t count, uint16_t* out);
void from_fp16_avx2(const uint16_t* halves, size_t count, float* out);

}  // namespace zeroshelf::kernel
