// The kernels with AVX2 and FMA. Tested by tests/clip/network_test.cc.

#define ZEROSHELF_LANES 8
#define ZEROSHELF_ROWS 6
#define ZEROSHELF_COLUMNS 2

#include "models/compute/kernels_body.h"

namespace zeroshelf::clip_kernels {

const Kernels kAvx2 = make_kernels<false>("avx2");
const Kernels kAvx2Rounded = make_kernels<true>("avx2, bf16 imitated");

}  // namespace zeroshelf::clip_kernels
