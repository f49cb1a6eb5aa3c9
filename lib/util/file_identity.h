#pragma once

// Which file a path stood for, beyond its size and time.

#include <cstdint>

namespace zeroshelf {

// As stat gives it. A content cannot change without the time of change, which nobody can set back.
// All zero where it is not known. Numbers of devices are given anew when the machine starts.
struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t changed_ns = 0;  // since the epoch

  bool is_known() const { return inode != 0; }
  bool operator==(const FileIdentity&) const = default;
};

}  // namespace zeroshelf
