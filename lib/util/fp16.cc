// Conversions between float and fp16. Tested by tests/util/fp16_test.cc.

#include "lib/util/fp16.h"

#include <cassert>

#include "lib/util/cpu.h"
#include "lib/util/fp16_kernel.h"
#include "lib/util/half.h"

namespace zeroshelf {
namespace {

#if defined(__x86_64__)
// Every richer set brings the conversions of F16C.
bool has_f16c() {
  return instruction_set() != InstructionSet::Portable;
}

auto to_fp16_kernel() {
  return has_f16c() ? kernel::to_fp16_avx2 : kernel::to_fp16_portable;
}
auto from_fp16_kernel() {
  return has_f16c() ? kernel::from_fp16_avx2 : kernel::from_fp16_portable;
}
#else
auto to_fp16_kernel() {
  return kernel::to_fp16_portable;
}
auto from_fp16_kernel() {
  return kernel::from_fp16_portable;
}
#endif

}  // namespace

void kernel::to_fp16_portable(const float* values, size_t count, uint16_t* out) {
  for (size_t i = 0; i < count; ++i) out[i] = kernel::to_half(values[i]);
}

void kernel::from_fp16_portable(const uint16_t* halves, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) out[i] = kernel::from_half(halves + i);
}

void to_fp16(std::span<const float> values, std::span<uint16_t> out) {
  assert(values.size() == out.size());
  to_fp16_kernel()(values.data(), values.size(), out.data());
}

void from_fp16(std::span<const uint16_t> halves, std::span<float> out) {
  assert(halves.size() == out.size());
  from_fp16_kernel()(halves.data(), halves.size(), out.data());
}

}  // namespace zeroshelf
