// Tested by tests/vectors/scan_test.cc, which runs every variant that the processor has.

#include "lib/util/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <sys/syscall.h>
#include <unistd.h>

namespace zeroshelf {
namespace {

#if defined(__x86_64__)
// __builtin_cpu_supports does not know it before clang 17.
bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

InstructionSet ask() {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !has_f16c())
    return InstructionSet::Portable;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    return InstructionSet::Avx512;
  }
  return InstructionSet::Avx2;
}

// That the processor has the unit is not enough: its registers are large, so Linux keeps them only
// for processes that ask. (Linux, Documentation/arch/x86/xstate.rst; Intel's manual, volume 2,
// CPUID leaf 7.)
bool ask_for_matrix_tiles() {
  constexpr unsigned kBf16 = 1u << 22;
  constexpr unsigned kTiles = 1u << 24;
  constexpr unsigned kInt8 = 1u << 25;
  constexpr unsigned kAll = kBf16 | kTiles | kInt8;
  constexpr long kRequestPermission = 0x1023;
  constexpr long kTileData = 18;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  if ((d & kAll) != kAll) return false;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}
#else
InstructionSet ask() {
  return InstructionSet::Portable;
}

bool ask_for_matrix_tiles() {
  return false;
}
#endif

}  // namespace

InstructionSet instruction_set() {
  static const InstructionSet set = ask();
  return set;
}

bool has_matrix_tiles() {
  static const bool granted = ask_for_matrix_tiles();
  return granted;
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
