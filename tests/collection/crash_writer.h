#pragma once

// What crash_writer.cc does to a collection, and how to see that none of it is torn.

#include <cstdint>
#include <string>

#include "lib/collection/collection.h"

namespace zeroshelf::testing {

// Pictures that are added or removed together: a committed state has all or none of
// /5g ... /5g+4.
inline constexpr uint32_t kCrashBatch = 5;

// What no committed state would show, in words; empty when there is nothing of the kind.
std::string torn(const Collection& collection);

}  // namespace zeroshelf::testing
