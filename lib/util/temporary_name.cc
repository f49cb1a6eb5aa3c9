// Tested by tests/util/file_test.cc.

#include "lib/util/temporary_name.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "lib/util/error.h"

namespace zeroshelf {
namespace {
constexpr std::string_view kEnding = ".new";
constexpr size_t kDigits = 16;
}  // namespace

std::string temporary_suffix() {
  uint64_t chance = 0;
  if (::getrandom(&chance, sizeof chance, 0) != sizeof chance)
    throw system_error("getrandom", "name a file by chance", errno);
  return fmt::format(".{:016x}{}", chance, kEnding);
}

std::string_view name_behind_temporary(std::string_view name) {
  constexpr size_t kAdded = 1 + kDigits + kEnding.size();
  if (name.size() <= kAdded || !name.ends_with(kEnding)) return {};
  const std::string_view suffix = name.substr(name.size() - kAdded);
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (suffix[0] != '.' || !std::ranges::all_of(suffix.substr(1, kDigits), is_digit)) return {};
  return name.substr(0, name.size() - kAdded);
}

}  // namespace zeroshelf
