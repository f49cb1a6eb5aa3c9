// The kernels with SSE2, which every x86-64 has. Tested by tests/clip/network_test.cc.

#define ZEROSHELF_LANES 4
#define ZEROSHELF_ROWS 4
#define ZEROSHELF_COLUMNS 2

#include "models/compute/kernels_body.h"

namespace zeroshelf::clip_kernels {

const Kernels kPortable = {"portable",  layer_norm, attention,      round_to_bf16,
                           packed_size, pack,       multiply_packed};

}  // namespace zeroshelf::clip_kernels
