// Tested by tests/util/utc_test.cc.

#include "lib/util/utc.h"

#include <fmt/chrono.h>

#include <ctime>

namespace zeroshelf {

std::string now_utc() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

}  // namespace zeroshelf
