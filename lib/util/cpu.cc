// Tested by tests/vectors/scan_test.cc, which runs every variant that the processor has.

#include "lib/util/cpu.h"

namespace zeroshelf {
namespace {

InstructionSet ask() {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
      !__builtin_cpu_supports("f16c")) {
    return InstructionSet::Portable;
  }
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    return InstructionSet::Avx512;
  }
  return InstructionSet::Avx2;
}

}  // namespace

InstructionSet instruction_set() {
  static const InstructionSet set = ask();
  return set;
}

std::string_view instruction_set_name(InstructionSet set) {
  switch (set) {
    case InstructionSet::Avx512:
      return "avx512";
    case InstructionSet::Avx2:
      return "avx2";
    case InstructionSet::Portable:
      break;
  }
  return "portable";
}

}  // namespace zeroshelf
