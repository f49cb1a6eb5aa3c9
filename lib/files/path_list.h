#pragma once

// Lists of paths that are ended by NUL, as find -print0 and git ls-files -z write them: the only
// separator that no path contains.

#include <cstdint>
#include <string>
#include <vector>

namespace zeroshelf {

// What a list may ask for: about 4 GiB of memory at most.
struct PathListLimits {
  uint64_t paths = 4 << 20;
  uint64_t bytes = uint64_t{1} << 30;
};

// source: a file, or "-" for standard input. The last path may lack its NUL. Throws NotFound, Io,
// and InvalidArgument for an empty path, a path longer than the system takes (which is what a list
// with another separator looks like), and a list above the limits: each as soon as it is read, so
// that a list without an end is refused, too.
std::vector<std::string> read_path_list(const std::string& source, const PathListLimits& = {});

}  // namespace zeroshelf
