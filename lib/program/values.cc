// Tested through the programs by tests/programs/refusals_test.cc.

#include "lib/program/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/util/suggest.h"

namespace zeroshelf {

CLI::Validator one_of(std::vector<std::string> names) {
  const std::string all = fmt::format("{{{}}}", fmt::join(names, ","));
  return {[names = std::move(names)](const std::string& value) -> std::string {
            if (std::ranges::find(names, value) != names.end()) return "";
            const std::string meant = did_you_mean(value, names);
            return fmt::format(
                "'{}' is none of its values{}", value,
                meant.empty() ? fmt::format("; use {}", fmt::join(names, ", ")) : meant);
          },
          all};
}

CLI::Validator byte_size(bool kilobyte_is_1000) {
  const CLI::AsSizeValue convert(kilobyte_is_1000);
  return {[convert](std::string& value) -> std::string {
            const std::string written = value;
            try {
              if (convert(value).empty()) return "";
            } catch (const CLI::Error&) {
            }
            return fmt::format("'{}' is no size; write it as 800000, 500KB or 2MB", written);
          },
          ""};
}

}  // namespace zeroshelf
