#pragma once

// A collection follows its files when an export moves them, and when that is undone: both paths are
// known, so nothing need be found again.

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "lib/export/exported_files.h"

namespace zeroshelf {

struct MovedFile {
  std::string from;  // absolute
  std::string to;
};

// The collection's pictures that were at `from` are at `to` from now on; where a file is
// not there, or still at its old place, nothing changes. Returns how many. Throws Unavailable while
// another process writes the collection, and what opening it throws.
uint64_t follow_moves(const std::filesystem::path& collection, const std::vector<MovedFile>& files);

// What an undo of the export in this folder puts back, by what its manifest says, for each
// collection that it was made from.
using ExportedMoves = std::map<std::filesystem::path, std::vector<MovedFile>>;
ExportedMoves moves_back(const std::filesystem::path& directory,
                         std::span<const ExportedFile> files);

}  // namespace zeroshelf
