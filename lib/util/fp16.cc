// Conversions between float and fp16. Tested by tests/util/fp16_test.cc.

#include "lib/util/fp16.h"

#include <cassert>

#include "lib/util/cpu.h"
#include "lib/util/fp16_kernel.h"
#include "lib/util/half.h"

namespace zeroshelf {
namespace {

// Every richer set brings the conversions of F16C.
bool has_f16c() {
  return instruction_set() != InstructionSet::Portable;
}

}  // namespace

void kernel::to_fp16_portable(const float* values, size_t count, uint16_t* out) {
  for (size_t i = 0; i < count; ++i) {
    const auto half = static_cast<_Float16>(values[i]);
    __builtin_memcpy(out + i, &half, sizeof half);
  }
}

void kernel::from_fp16_portable(const uint16_t* halves, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) out[i] = kernel::from_half(halves + i);
}

void to_fp16(std::span<const float> values, std::span<uint16_t> out) {
  assert(values.size() == out.size());
  (has_f16c() ? kernel::to_fp16_avx2 : kernel::to_fp16_portable)(values.data(), values.size(),
                                                                 out.data());
}

void from_fp16(std::span<const uint16_t> halves, std::span<float> out) {
  assert(halves.size() == out.size());
  (has_f16c() ? kernel::from_fp16_avx2 : kernel::from_fp16_portable)(halves.data(), halves.size(),
                                                                     out.data());
}

}  // namespace zeroshelf
