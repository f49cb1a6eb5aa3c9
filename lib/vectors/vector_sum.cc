// Tested by tests/vectors/vector_sum_test.cc.

#include "lib/vectors/vector_sum.h"

#include <cassert>
#include <utility>

namespace zeroshelf {
namespace {

// A half as a whole number of 2^-24.
int64_t fixed_point(uint16_t half) {
  const int64_t exponent = half >> 10 & 31;
  const int64_t fraction = half & 1023;
  if (exponent == 31) return 0;  // infinite, or no number
  const int64_t magnitude = exponent == 0 ? fraction : (fraction | 1024) << (exponent - 1);
  return half >> 15 ? -magnitude : magnitude;
}

}  // namespace

void VectorSum::add(std::span<const uint16_t> row) {
  assert(row.size() == parts_.size());
  for (size_t i = 0; i < row.size(); ++i) {
    uint16_t half;
    __builtin_memcpy(&half, row.data() + i, sizeof half);  // rows in a file lie at any alignment
    parts_[i] += static_cast<uint64_t>(fixed_point(half));
  }
  ++count_;
}

void VectorSum::subtract(std::span<const uint16_t> row) {
  assert(row.size() == parts_.size());
  for (size_t i = 0; i < row.size(); ++i) {
    uint16_t half;
    __builtin_memcpy(&half, row.data() + i, sizeof half);
    parts_[i] -= static_cast<uint64_t>(fixed_point(half));
  }
  --count_;
}

void VectorSum::add(const VectorSum& other) {
  assert(other.parts_.size() == parts_.size());
  for (size_t i = 0; i < parts_.size(); ++i) parts_[i] += other.parts_[i];
  count_ += other.count_;
}

std::vector<float> VectorSum::mean() const {
  std::vector<float> mean(parts_.size());
  if (count_ == 0) return mean;
  for (size_t i = 0; i < mean.size(); ++i) {
    mean[i] = static_cast<float>(static_cast<double>(static_cast<int64_t>(parts_[i])) * 0x1p-24 /
                                 static_cast<double>(count_));
  }
  return mean;
}

void VectorSum::set(std::vector<uint64_t> parts, uint64_t count) {
  assert(parts.size() == parts_.size());
  parts_ = std::move(parts);
  count_ = count;
}

}  // namespace zeroshelf
