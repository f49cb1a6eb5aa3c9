#pragma once

// The time of day in words.

#include <cstdint>
#include <string>

namespace zeroshelf {

// Now, in ISO 8601, UTC, to the second: "2026-01-31T23:59:59Z".
std::string now_utc();
// The same of a time in nanoseconds since 1970; empty where the calendar has no such year.
std::string utc_of(int64_t ns);

}  // namespace zeroshelf
