#pragma once

// What the processor can do, asked once, for code that comes in several variants.

#include <string_view>

namespace zeroshelf {

// Avx2 includes FMA and F16C; Avx512 includes F, BW, VL and DQ, and all of Avx2.
enum class InstructionSet { Portable, Avx2, Avx512 };

// The richest one that this processor has. Threads: any.
InstructionSet instruction_set();

// Whether this process may multiply matrices of bytes and of bfloat16 on the processor's own unit
// for them (AMX-INT8, AMX-BF16), for which it asks the operating system. Threads: any.
bool has_matrix_tiles();

// "portable", "avx2", "avx512".
std::string_view instruction_set_name(InstructionSet set);

}  // namespace zeroshelf
