#pragma once

// Random numbers that are the same on every machine for the same seed: SplitMix64 (Steele, Lea and
// Flood 2014). The standard library's distributions differ between implementations.

#include <cstddef>
#include <cstdint>

namespace zeroshelf {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  // The stream of one item of a numbered series: independent of the other items' streams.
  static Random of_item(uint64_t seed, uint64_t index) {
    Random mix(seed ^ (index + 1) * 0xd1342543de82ef95u);
    mix.next();
    return Random(mix.next());
  }

  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }

  // [0, 1)
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  bool chance(double probability) { return uniform() < probability; }
  // 0 .. count - 1; count is at least 1.
  size_t below(size_t count) { return static_cast<size_t>(uniform() * static_cast<double>(count)); }
  // low .. high, both included.
  int between(int low, int high) {
    return low + static_cast<int>(below(static_cast<size_t>(high - low + 1)));
  }

  template <class Container>
  const auto& pick(const Container& items) {
    return items[below(items.size())];
  }

 private:
  uint64_t state_;
};

}  // namespace zeroshelf
