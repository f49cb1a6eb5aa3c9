#pragma once

// The time of day in words.

#include <string>

namespace zeroshelf {

// Now, in ISO 8601, UTC, to the second: "2026-01-31T23:59:59Z".
std::string now_utc();

}  // namespace zeroshelf
