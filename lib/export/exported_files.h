#pragma once

// What a folder's manifest says that an export has put there.

#include <filesystem>
#include <string>
#include <vector>

namespace zeroshelf {

// The manifest's name, and its name until the export has ended.
inline constexpr const char* kManifestName = "manifest.jsonl";
inline constexpr const char* kUnfinishedManifestName = "manifest.jsonl.unfinished";

struct ExportedFile {
  std::string exported;    // below the folder
  std::string original;    // exact, also where it is not UTF-8
  std::string collection;  // that it was exported from; of moves only, else empty
};

// Of a finished manifest and of an unfinished one; none without. A line that cannot be read, or
// that lacks one of the two paths, is passed over.
std::vector<ExportedFile> read_exported_files(const std::filesystem::path& directory);

}  // namespace zeroshelf
