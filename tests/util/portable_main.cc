// Run on another processor by portable_test.sh: every fp16 survives the way to a float and back, and no code for x86 is
// chosen.

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "lib/util/cpu.h"
#include "lib/util/fp16.h"
#include "models/compute/kernels.h"

int main() {
  using namespace zeroshelf;
  std::vector<uint16_t> halves(65'536);
  for (size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<uint16_t>(i);
  std::vector<float> floats(halves.size());
  std::vector<uint16_t> back(halves.size());
  from_fp16(halves, floats);
  to_fp16(floats, back);
  int wrong = 0;
  for (size_t i = 0; i < halves.size(); ++i)
    wrong += back[i] != halves[i] && !std::isnan(floats[i]) ? 1 : 0;
  const bool is_portable = instruction_set() == InstructionSet::Portable && !has_matrix_tiles() &&
                           clip_kernels::fp32_kernels().name == std::string("portable") &&
                           !clip_kernels::multiplies_bf16();
  std::printf("%d of 65536 halves wrong, %s\n", wrong, is_portable ? "portable" : "not portable");
  return wrong == 0 && is_portable ? 0 : 1;
}
