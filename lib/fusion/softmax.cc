// The choice among the kernels. Tested by tests/fusion/softmax_test.cc.

#include "lib/fusion/softmax.h"

#include <cassert>

#include "lib/util/cpu.h"

namespace zeroshelf {
namespace {

struct Kernel {
  kernel::Summarise summarise;
  kernel::Softmax softmax;
};

Kernel best_kernel() {
#if defined(__x86_64__)
  switch (instruction_set()) {
    case InstructionSet::Avx512:
      return {kernel::summarise_avx512, kernel::softmax_avx512};
    case InstructionSet::Avx2:
      return {kernel::summarise_avx2, kernel::softmax_avx2};
    case InstructionSet::Portable:
      break;
  }
#endif
  return {kernel::summarise_portable, kernel::softmax_portable};
}

const Kernel& chosen_kernel() {
  static const Kernel chosen = best_kernel();
  return chosen;
}

}  // namespace

void summarise(std::span<const LogitRow> rows, size_t count, Exponentials exponentials,
               Summary* out) {
  assert(count > 0);
  chosen_kernel().summarise(rows.data(), rows.size(), count, exponentials == Exponentials::Sum,
                            out);
}

void softmax(std::span<const float> a, float a_scale, std::span<const float> b, float b_scale,
             const Summary& summary, std::span<float> out) {
  assert(out.size() == a.size() && (b.empty() || b.size() == a.size()));
  chosen_kernel().softmax(a.data(), a_scale, b.empty() ? nullptr : b.data(), b_scale, a.size(),
                          summary.best_logit, 1 / summary.sum, out.data());
}

}  // namespace zeroshelf
