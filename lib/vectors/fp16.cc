// Conversions between float and fp16. Tested by tests/vectors/scan_test.cc.

#include <cassert>

#include "lib/vectors/kernel.h"
#include "lib/vectors/vector_rows.h"

namespace zeroshelf {
namespace {

bool has_f16c() {
  static const bool has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                          __builtin_cpu_supports("f16c");
  return has;
}

}  // namespace

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
