// The kernels with AVX-512. Tested by tests/clip/network_test.cc.

#define ZEROSHELF_LANES 16
#define ZEROSHELF_ROWS 12
#define ZEROSHELF_COLUMNS 2

#include "models/compute/kernels_body.h"

namespace zeroshelf::clip_kernels {

const Kernels kAvx512 = make_kernels<false>("avx512");
const Kernels kAvx512Rounded = make_kernels<true>("avx512, bf16 imitated");

}  // namespace zeroshelf::clip_kernels
