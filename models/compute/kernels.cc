// Which kernels run here. Tested by tests/clip/network_test.cc.

#include "models/compute/kernels.h"

#include "lib/util/cpu.h"

namespace zeroshelf::clip_kernels {

const Kernels& best() {
  switch (instruction_set()) {
    case InstructionSet::Avx512:
      return kAvx512;
    case InstructionSet::Avx2:
      return kAvx2;
    case InstructionSet::Portable:
      break;
  }
  return kPortable;
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
