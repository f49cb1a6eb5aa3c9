// The kernels with AVX-512. Tested by tests/clip/network_test.cc.

#define ZEROSHELF_LANES 16
#define ZEROSHELF_ROWS 12
#define ZEROSHELF_COLUMNS 2

#include "models/compute/kernels_body.h"

namespace zeroshelf::clip_kernels {

const Kernels kAvx512 = {"avx512",    layer_norm, attention,      round_to_bf16,
                         packed_size, pack,       multiply_packed};

}  // namespace zeroshelf::clip_kernels
