// Tested by tests/clip/network_test.cc.

#include "models/compute/packed_linear.h"

#include <cassert>
#include <cstdlib>
#include <cstring>
#include <new>

namespace zeroshelf {

void* AlignedBuffer::bytes(size_t count) {
  const size_t before = size_;
  void* memory = bytes_to_fill(count);
  if (size_ != before) std::memset(memory, 0, size_);
  return memory;
}

void* AlignedBuffer::bytes_to_fill(size_t count) {
  constexpr size_t kAlignment = 64;
  if (count > size_) {
    memory_.reset();
    size_ = 0;
    const size_t rounded = (count + kAlignment - 1) / kAlignment * kAlignment;
    memory_.reset(std::aligned_alloc(kAlignment, rounded));
    if (!memory_) throw std::bad_alloc();
    size_ = rounded;
  }
  return memory_.get();
}

void AlignedBuffer::Free::operator()(void* memory) const {
  std::free(memory);
}

Operand OperandBuffer::make(const Kernels& kernels, size_t rows, size_t width) {
  const clip_kernels::OperandSize size = kernels.operand_size(rows, width);
  return {memory_.bytes(size.bytes), size.stride};
}

PackedLinear::PackedLinear(const Kernels& kernels, const Options& options,
                           std::span<const std::span<const float>> parts,
                           std::span<const float> bias)
    : kernels_(kernels), options_(options), bias_(bias.begin(), bias.end()) {
  assert(bias.empty() || bias.size() == options.out);
  auto* packed =
      static_cast<std::byte*>(packed_.bytes_to_fill(kernels.packed_bytes(options.out, options.in)));
  size_t done = 0;
  for (const std::span<const float> part : parts) {
    assert(done % clip_kernels::kPackedOut == 0 && part.size() % options.in == 0);
    const size_t out = part.size() / options.in;
    kernels.pack(part.data(), out, options.in, packed);
    packed += kernels.packed_bytes(out, options.in);
    done += out;
  }
  assert(done == options.out);
}

void PackedLinear::run(const Operand& x, size_t rows, float* y) const {
  kernels_.multiply(x, rows, options_.in, packed_.data(), bias_.empty() ? nullptr : bias_.data(),
                    options_.out, options_.after, {y, {}});
}

void PackedLinear::run(const Operand& x, size_t rows, const Operand& y) const {
  assert(options_.after != After::AddToResult);
  kernels_.multiply(x, rows, options_.in, packed_.data(), bias_.empty() ? nullptr : bias_.data(),
                    options_.out, options_.after, {nullptr, y});
}

}  // namespace zeroshelf
