// Tested by tests/ocr/line_kernel_test.cc.

#include "lib/ocr/line_kernel_body.h"
#include "lib/util/cpu.h"

namespace zeroshelf {

float line_kernel_portable(const uint8_t* samples, int columns, const float* features,
                           const float* weights) {
  return run(samples, columns, features, weights);
}

LineKernel line_kernel() {
#if defined(__x86_64__)
  static const LineKernel chosen =
      instruction_set() == InstructionSet::Portable ? line_kernel_portable : line_kernel_avx2;
  return chosen;
#else
  return line_kernel_portable;
#endif
}

}  // namespace zeroshelf
