#pragma once

// The sum of fp16 vectors, exactly: whatever was added and taken off again, in whatever order, the
// same sum comes out.

#include <cstdint>
#include <span>
#include <vector>

namespace zeroshelf {

class VectorSum {
 public:
  explicit VectorSum(uint32_t dimension) : parts_(dimension) {}

  // Values that are no number count as 0.
  void add(std::span<const uint16_t> row);
  void subtract(std::span<const uint16_t> row);
  void add(const VectorSum& other);  // of the same dimension

  uint64_t count() const { return count_; }
  // The mean of what was added; zero while that is nothing.
  std::vector<float> mean() const;

  // The sum as it is kept in a file: in units of 2^-24, the smallest fp16, modulo 2^64.
  std::span<const uint64_t> parts() const { return parts_; }
  void set(std::vector<uint64_t> parts, uint64_t count);

  bool operator==(const VectorSum&) const = default;

 private:
  std::vector<uint64_t> parts_;
  uint64_t count_ = 0;
};

}  // namespace zeroshelf
