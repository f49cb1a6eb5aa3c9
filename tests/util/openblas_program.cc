// Prints which kernels OpenBLAS multiplies with, and its own arguments. Run by openblas_test.cc.

#include <cstdio>

#include "lib/util/openblas.h"

extern "C" float sdot_(const int* n, const float* x, const int* x_step, const float* y,
                       const int* y_step);

int main(int argc, char** argv) {
  zeroshelf::use_best_openblas_core(argv);
  const int n = 1;
  const float x = 3;
  if (sdot_(&n, &x, &n, &x, &n) != 9) return 1;
  const std::string core = zeroshelf::openblas_core();
  std::printf("%s:", core.empty() ? "none" : core.c_str());
  for (int i = 1; i < argc; ++i) std::printf(" %s", argv[i]);
}
