#pragma once

// Inside the part with libtorch: between our types and its.

#include <ATen/ATen.h>

#include <algorithm>

#include "lib/util/error.h"
#include "lib/util/matrix.h"
#include "models/clip/load.h"

namespace zeroshelf {

inline constexpr size_t kCudaBatch = 64;  // pictures or texts that a call takes on such a device

// A tensor of two dimensions, of any floating type and on any device.
inline Matrix to_matrix(const at::Tensor& tensor) {
  const at::Tensor floats = tensor.to(at::kCPU, at::kFloat).contiguous();
  Matrix matrix(static_cast<size_t>(floats.size(0)), static_cast<size_t>(floats.size(1)));
  std::copy_n(floats.data_ptr<float>(), matrix.rows() * matrix.columns(), matrix.data());
  return matrix;
}

// Throws Unavailable when this libtorch has none such.
inline at::Device device_of(Device device) {
  if (device == Device::Cpu) return at::kCPU;
  if (!at::hasCUDA()) {
    throw Error(ErrorCode::Unavailable, "--device cuda", "this libtorch was built without CUDA",
                "build with a CUDA libtorch, or leave --device out");
  }
  return at::kCUDA;
}

}  // namespace zeroshelf
