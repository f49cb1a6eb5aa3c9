// Which kernels run here. Tested by tests/clip/network_test.cc.

#include "models/clip/kernels.h"

namespace zeroshelf::clip_kernels {

const Kernels& best() {
  static const Kernels& chosen = [&]() -> const Kernels& {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
      return kAvx512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return kAvx2;
    return kPortable;
  }();
  return chosen;
}

size_t attention_scratch(size_t longest, size_t head_width) {
  constexpr size_t kWidestTile = 64;  // columns
  constexpr size_t kMostRows = 16;
  const size_t padded_length = longest + kWidestTile;
  const size_t padded_width = head_width + kWidestTile;
  return head_width * padded_length + longest * padded_width + kMostRows * padded_length +
         kMostRows * padded_width;
}

}  // namespace zeroshelf::clip_kernels
