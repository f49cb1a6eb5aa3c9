// Which kernels run here. Tested by tests/clip/network_test.cc and tests/clip/kernels_test.cc.

#include "models/compute/kernels.h"

#include "lib/util/cpu.h"

namespace zeroshelf::clip_kernels {

const Kernels& fp32_kernels() {
#if defined(__x86_64__)
  switch (instruction_set()) {
    case InstructionSet::Avx512:
      return kAvx512;
    case InstructionSet::Avx2:
      return kAvx2;
    case InstructionSet::Portable:
      break;
  }
#endif
  return kPortable;
}

const Kernels& bf16_kernels() {
#if defined(__x86_64__)
  if (multiplies_bf16()) return has_matrix_tiles() ? kAmx : kAvx512Bf16;
  switch (instruction_set()) {
    case InstructionSet::Avx512:
      return kAvx512Rounded;
    case InstructionSet::Avx2:
      return kAvx2Rounded;
    case InstructionSet::Portable:
      break;
  }
#endif
  return kPortableRounded;
}

bool multiplies_bf16() {
#if defined(__x86_64__)
  return instruction_set() == InstructionSet::Avx512 && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

}  // namespace zeroshelf::clip_kernels
