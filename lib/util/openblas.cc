// Tested by tests/util/openblas_test.cc.

#include "lib/util/openblas.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace zeroshelf {
namespace {

constexpr const char* kVariable = "OPENBLAS_CORETYPE";

constexpr std::array<std::string_view, 3> kAvx512Cores = {"SkylakeX", "Cooperlake",
                                                          "SapphireRapids"};
constexpr std::array<std::string_view, 2> kAvx2Cores = {"Haswell", "Zen"};

}  // namespace

std::string openblas_core() {
  // Found at run time: BLAS may be any library.
  using Name = char* (*)();
  const auto name = reinterpret_cast<Name>(::dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  return name == nullptr ? std::string() : std::string(name());
}

std::string_view best_openblas_core(InstructionSet set) {
  switch (set) {
    case InstructionSet::Avx512:
      return kAvx512Cores.front();
    case InstructionSet::Avx2:
      return kAvx2Cores.front();
    case InstructionSet::Portable:
      break;
  }
  return {};
}

bool uses_vectors_of(std::string_view core, InstructionSet set) {
  const auto is_among = [&](const auto& cores) { return std::ranges::count(cores, core) > 0; };
  switch (set) {
    case InstructionSet::Avx512:
      return is_among(kAvx512Cores);
    case InstructionSet::Avx2:
      return is_among(kAvx2Cores) || is_among(kAvx512Cores);
    case InstructionSet::Portable:
      break;
  }
  return true;
}

void use_best_openblas_core(char** argv) {
  const std::string core = openblas_core();
  const std::string best(best_openblas_core(instruction_set()));
  if (core.empty() || best.empty() || uses_vectors_of(core, instruction_set())) return;
  // Told already: this OpenBLAS has no such kernels.
  const char* told = std::getenv(kVariable);
  if (told != nullptr && told == best) return;
  if (::setenv(kVariable, best.c_str(), 1) != 0) return;
  ::execv("/proc/self/exe", argv);
  // Then with the kernels that there are.
}

}  // namespace zeroshelf
