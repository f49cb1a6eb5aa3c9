// The kernels with AVX2 and FMA. Tested by tests/clip/network_test.cc.

#define ZEROSHELF_LANES 8
#define ZEROSHELF_ROWS 6
#define ZEROSHELF_COLUMNS 2

#include "models/compute/kernels_body.h"

namespace zeroshelf::clip_kernels {

const Kernels kAvx2 = {"avx2",      layer_norm, attention,      round_to_bf16,
                       packed_size, pack,       multiply_packed};

}  // namespace zeroshelf::clip_kernels
