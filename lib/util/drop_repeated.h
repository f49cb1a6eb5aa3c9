#pragma once

// Keeps the first of equal values that lie together. (std::ranges::unique gives a subrange, which
// clang 14 cannot compile with g++ 12's library.)

#include <algorithm>
#include <functional>
#include <vector>

namespace zeroshelf {

// Equal: in what the projection (a function or a member) gives of them.
template <class Value, class Projection = std::identity>
void drop_repeated(std::vector<Value>& values, const Projection& projection = {}) {
  const auto equal = [&](const Value& a, const Value& b) {
    return std::invoke(projection, a) == std::invoke(projection, b);
  };
  values.erase(std::unique(values.begin(), values.end(), equal), values.end());
}

}  // namespace zeroshelf
