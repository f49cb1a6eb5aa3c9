// The kernels with SSE2, which every x86-64 has. Tested by tests/clip/network_test.cc.

#define ZEROSHELF_LANES 4
#define ZEROSHELF_ROWS 4
#define ZEROSHELF_COLUMNS 2

#include "models/compute/kernels_body.h"

namespace zeroshelf::clip_kernels {

const Kernels kPortable = make_kernels<false>("portable");
const Kernels kPortableRounded = make_kernels<true>("portable, bf16 imitated");

}  // namespace zeroshelf::clip_kernels
