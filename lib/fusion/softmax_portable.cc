// softmax.h for any processor. Tested by tests/fusion/softmax_test.cc.

#include "lib/fusion/softmax_kernel.h"

namespace zeroshelf::kernel {
namespace {

// Eight floats, which the compiler may keep in whatever registers there are.
struct Portable {
  struct Register {
    float lane[8];
  };
  static constexpr size_t kLanes = 8;

  static Register set(float x) {
    return each([&](size_t) { return x; });
  }
  static Register load(const float* p) {
    return each([&](size_t i) { return p[i]; });
  }
  static Register load_first(const float* p, size_t n) {
    return each([&](size_t i) { return i < n ? p[i] : 0; });
  }
  static void store(float* p, const Register& v) { __builtin_memcpy(p, &v, sizeof v); }
  static Register add(const Register& a, const Register& b) {
    return each([&](size_t i) { return a.lane[i] + b.lane[i]; });
  }
  static Register multiply(const Register& a, const Register& b) {
    return each([&](size_t i) { return a.lane[i] * b.lane[i]; });
  }
  static Register multiply_add(const Register& a, const Register& b, const Register& c) {
    return each([&](size_t i) { return a.lane[i] * b.lane[i] + c.lane[i]; });
  }
  static Register max(const Register& a, const Register& b) {
    return each([&](size_t i) { return a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; });
  }
  static Register first_lanes(const Register& v, size_t n, const Register& rest) {
    return each([&](size_t i) { return i < n ? v.lane[i] : rest.lane[i]; });
  }
  static Register replace_lane(Register v, size_t i, float x) {
    v.lane[i] = x;
    return v;
  }
  static Register if_greater(const Register& a, const Register& b, const Register& x,
                             const Register& y) {
    return each([&](size_t i) { return a.lane[i] > b.lane[i] ? x.lane[i] : y.lane[i]; });
  }
  static void transpose(Register* v) {
    for (size_t i = 0; i < kLanes; ++i) {
      for (size_t j = 0; j < i; ++j) {
        const float x = v[i].lane[j];
        v[i].lane[j] = v[j].lane[i];
        v[j].lane[i] = x;
      }
    }
  }
  static float largest(const Register& v) {
    float best = v.lane[0];
    for (const float x : v.lane) best = x > best ? x : best;
    return best;
  }
  static float total(const Register& v) {
    float sum = 0;
    for (const float x : v.lane) sum += x;
    return sum;
  }
  static uint32_t equal(const Register& v, float x) {
    uint32_t bits = 0;
    for (size_t i = 0; i < kLanes; ++i) bits |= uint32_t{v.lane[i] == x} << i;
    return bits;
  }
  // Adding 1.5 * 2^23 leaves no bits behind the point.
  static Register round(const Register& v) {
    constexpr float kLarge = 12582912;
    return each([&](size_t i) { return (v.lane[i] + kLarge) - kLarge; });
  }
  static Register times_power_of_two(const Register& v, const Register& n) {
    return each([&](size_t i) {
      const float exponent = n.lane[i] >= -126 ? n.lane[i] + 127 : 0;  // a NaN becomes 0
      const uint32_t bits = static_cast<uint32_t>(exponent) << 23;
      float power;
      __builtin_memcpy(&power, &bits, sizeof power);
      return v.lane[i] * power;
    });
  }

 private:
  template <class Function>
  static Register each(Function function) {
    Register result;
    for (size_t i = 0; i < kLanes; ++i) result.lane[i] = function(i);
    return result;
  }
};

}  // namespace
}  // namespace zeroshelf::kernel

ZEROSHELF_DEFINE_SOFTMAX_KERNEL(portable, Portable)
