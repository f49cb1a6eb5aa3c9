#pragma once

// Inside lib/ocr.

#include <algorithm>
#include <functional>
#include <iterator>
#include <type_traits>
#include <vector>

namespace zeroshelf {

// The upper median of a value of each element. The range is not empty.
template <class Range, class Value = std::identity>
auto median(const Range& range, const Value& value = {}) {
  // Kept, as most ranges are short and many.
  static thread_local std::vector<std::decay_t<decltype(value(*std::begin(range)))>> values;
  values.clear();
  std::ranges::transform(range, std::back_inserter(values), value);
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace zeroshelf
