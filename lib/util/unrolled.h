#pragma once

// Loops that are unrolled before the compiler's first pass. An array of registers stays in
// registers only where its indices are constants from there on. Includes no code, so that files
// which are compiled for one instruction set may use it; everything here is inlined or private to
// its file.

#include <cstddef>

namespace zeroshelf {
namespace {

template <size_t kValue>
struct Index {
  static constexpr size_t kIs = kValue;
  constexpr operator size_t() const { return kValue; }
};

// function(Index<0>()), function(Index<1>()), ...
template <size_t kCount, size_t... kIndices, class Function>
[[gnu::always_inline]] inline void unrolled(const Function& function) {
  if constexpr (sizeof...(kIndices) == kCount) {
    (function(Index<kIndices>()), ...);
  } else {
    unrolled<kCount, kIndices..., sizeof...(kIndices)>(function);
  }
}

}  // namespace
}  // namespace zeroshelf
