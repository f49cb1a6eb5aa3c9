#pragma once

// What the control groups that this process is in allow it (Linux, cgroup v2), so that a
// container's limits count and not the machine's.

#include <cstdint>
#include <filesystem>
#include <optional>

namespace zeroshelf {

struct CgroupLimits {
  std::optional<double> cores;           // cpu.max: quota / period
  std::optional<uint64_t> memory_bytes;  // memory.max
};

// The smallest limits of the process's group and of those above it. What cannot be read, or is not
// limited, is absent. root is where the hierarchy is mounted, group the file that names the
// process's group; both are arguments for the tests.
CgroupLimits cgroup_limits(const std::filesystem::path& root = "/sys/fs/cgroup",
                           const std::filesystem::path& group = "/proc/self/cgroup");

}  // namespace zeroshelf
