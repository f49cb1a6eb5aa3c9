#pragma once

// How often something went well.

#include <cstdint>

namespace zeroshelf {

// good of trials, with the 95 % interval of Wilson (1927): for few trials and for shares near 0 or
// 1 it stays honest. Without trials the share is 0 and the interval is 0 to 1.
struct Share {
  uint64_t good = 0;
  uint64_t trials = 0;

  void add(bool went_well) {
    good += went_well;
    ++trials;
  }
  double value() const;  // 0 to 1
  double low() const;
  double high() const;
};

}  // namespace zeroshelf
