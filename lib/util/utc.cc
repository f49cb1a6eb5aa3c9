// Tested by tests/util/utc_test.cc.

#include "lib/util/utc.h"

#include <fmt/chrono.h>

#include <ctime>

namespace zeroshelf {

namespace {

std::string utc_of_seconds(std::time_t seconds) {
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) return "";
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", parts);
}

}  // namespace

std::string now_utc() {
  return utc_of_seconds(std::time(nullptr));
}

std::string utc_of(int64_t ns) {
  constexpr int64_t kSecond = 1'000'000'000;
  return utc_of_seconds(ns / kSecond - (ns % kSecond < 0 ? 1 : 0));
}

}  // namespace zeroshelf
