// The kernels in bfloat16 with AMX. Tested by tests/clip/network_test.cc where the processor has
// it, and without it with tiles that are imitated there.

#include "lib/util/matrix_tiles.h"
#include "models/compute/bf16_rounding.h"
#include "models/compute/bf16_tiles.h"

namespace zeroshelf::clip_kernels {
namespace {

// Written out, since GCC 12's intrinsics take no template's numbers and do not tell the compiler
// that they read memory.
struct AmxTiles {
  static void begin() { configure_whole_tiles(); }
  static void end() { release_tiles(); }

  template <int T>
  static void zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(T));
  }
  template <int T>
  static void load(const void* from, size_t bytes) {
    asm volatile("tileloadd (%1,%2,1), %%tmm%c0" : : "i"(T), "r"(from), "r"(bytes) : "memory");
  }
  template <int T>
  static void store(void* to, size_t bytes) {
    asm volatile("tilestored %%tmm%c0, (%1,%2,1)" : : "i"(T), "r"(to), "r"(bytes) : "memory");
  }
  template <int C, int A, int B>
  static void add() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(C), "i"(A), "i"(B));
  }
};

}  // namespace

const Kernels kAmx = make_bf16_kernels<TileUnit<AmxTiles, HardwareRounding>>("amx-bf16");

}  // namespace zeroshelf::clip_kernels
