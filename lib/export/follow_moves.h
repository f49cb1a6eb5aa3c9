#pragma once

// A collection follows its files when an export moves them, and when that is undone: both paths are
// known, so nothing need be found again.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace zeroshelf {

struct MovedFile {
  std::string from;  // absolute
  std::string to;
};

// The collection's pictures that were at `from` are at `to` from now on; where a file is
// not there, or still at its old place, nothing changes. Returns how many. Throws Unavailable while
// another process writes the collection, and what opening it throws.
//
// folder: that the files were in (absolute), which may have had another name when the collection
// followed them into it; then some of them are read to find that out.
uint64_t follow_moves(const std::filesystem::path& collection, const std::vector<MovedFile>& files,
                      const std::filesystem::path& folder = {});

}  // namespace zeroshelf
