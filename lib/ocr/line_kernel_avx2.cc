// Tested by tests/ocr/line_kernel_test.cc.

#include "lib/ocr/line_kernel_body.h"

float zeroshelf::line_kernel_avx2(const uint8_t* samples, int columns, const float* features,
                                  const float* weights) {
  return run(samples, columns, features, weights);
}
