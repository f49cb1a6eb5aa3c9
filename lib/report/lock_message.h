#pragma once

// What verify says to other programs (see messages.h for what holds for every line).

#include <cstdint>
#include <string_view>

#include "lib/report/json.h"

namespace zeroshelf::message {

// One thing that was compared with a lock file.
struct LockFinding {
  static constexpr std::string_view kType = "compared";
  std::string_view what;
  bool same = true;
  std::string_view detail;  // empty where it is the same
};
void write_members(JsonWriter& json, const LockFinding& finding);

// The last line. The numbers are lower bounds.
struct LockVerdict {
  static constexpr std::string_view kType = "verdict";
  bool same_answers = false;
  uint64_t added = 0;
  uint64_t removed = 0;
  uint64_t changed = 0;
  uint64_t answered_otherwise = 0;
};
void write_members(JsonWriter& json, const LockVerdict& verdict);

}  // namespace zeroshelf::message
