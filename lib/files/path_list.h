#pragma once

// Lists of paths that are ended by NUL, as find -print0 and git ls-files -z write them: the only
// separator that no path contains.

#include <string>
#include <vector>

namespace zeroshelf {

// source: a file, or "-" for standard input. The last path may lack its NUL. Throws NotFound, Io,
// and InvalidArgument for an empty path, a path longer than the system takes (which is what a list
// with another separator looks like), and a list above 4 GiB.
std::vector<std::string> read_path_list(const std::string& source);

}  // namespace zeroshelf
