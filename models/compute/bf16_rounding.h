#pragma once

// Inside models/compute: rounding to bfloat16 by AVX512-BF16, which every processor with AMX has.

#include <immintrin.h>

#include "models/compute/bf16_body.h"

namespace zeroshelf::clip_kernels {
namespace {

struct HardwareRounding {
  static Halves to_bf16(Floats v) {
    return reinterpret_cast<Halves>(_mm512_cvtneps_pbh(reinterpret_cast<__m512>(v)));
  }
};

}  // namespace
}  // namespace zeroshelf::clip_kernels
