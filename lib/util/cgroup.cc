// Tested by tests/util/cgroup_test.cc.

#include "lib/util/cgroup.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

template <class Value>
void lower(std::optional<Value>& limit, Value other) {
  limit = limit ? std::min(*limit, other) : other;
}

// "max 100000" or "200000 100000".
void read_cores(const fs::path& folder, CgroupLimits& limits) {
  std::ifstream file(folder / "cpu.max");
  double quota = 0;
  double period = 0;
  if (file >> quota >> period && quota > 0 && period > 0) lower(limits.cores, quota / period);
}

void read_memory(const fs::path& folder, CgroupLimits& limits) {
  std::ifstream file(folder / "memory.max");
  uint64_t bytes = 0;
  if (file >> bytes) lower(limits.memory_bytes, bytes);
}

// The path of the line "0::/a/b"; within a container often "/".
fs::path group_of(const fs::path& file) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("0::/")) return fs::path(line.substr(4)).lexically_normal();
  }
  return {};
}

}  // namespace

CgroupLimits cgroup_limits(const fs::path& root, const fs::path& group) {
  CgroupLimits limits;
  fs::path folder = root;
  read_cores(folder, limits);
  read_memory(folder, limits);
  for (const fs::path& part : group_of(group)) {
    if (part.empty() || part == "." || part == "..") break;
    folder /= part;
    read_cores(folder, limits);
    read_memory(folder, limits);
  }
  return limits;
}

}  // namespace zeroshelf
