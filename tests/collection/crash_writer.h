#pragma once

#include <cstdint>

namespace zeroshelf::testing {

// Pictures that crash_writer commits together.
inline constexpr uint32_t kCrashBatch = 5;

}  // namespace zeroshelf::testing
