// Tested by tests/report/output_format_test.cc.

#include "lib/report/output_format.h"

#include <array>
#include <cstddef>

namespace zeroshelf {

std::string_view output_format_name(OutputFormat format) {
  constexpr std::array<std::string_view, 5> kNames = {"table", "jsonl", "csv", "paths", "paths0"};
  return kNames[static_cast<size_t>(format)];
}

}  // namespace zeroshelf
