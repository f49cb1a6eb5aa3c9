#pragma once

// What lies in an export's folder beside the pictures, and what its manifest says that it has put
// there.

#include <compare>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zeroshelf {

// The manifest's name, and its name until the export has ended.
inline constexpr const char* kManifestName = "manifest.jsonl";
inline constexpr const char* kUnfinishedManifestName = "manifest.jsonl.unfinished";

// --- of several processes ------------------------------------------------------------------------

// What each of them has of its own in the folder, e.g. of the fourth of 16:
enum class ShareFile {
  Journal,   // moves-00003-of-00016.journal
  Manifest,  // manifest-00003-of-00016.jsonl.unfinished: of what it has placed, until the export
             // ends
  Partial,   // .moving-00003-of-00016: a file on its way to another file system
};

struct ExportShare {
  size_t process = 0;    // below processes
  size_t processes = 1;  // at most kMostProcesses
  auto operator<=>(const ExportShare&) const = default;
};
inline constexpr size_t kMostProcesses = 99'999;

std::string share_name(ShareFile file, const ExportShare& share);
// Nothing for another name.
std::optional<ExportShare> share_of_name(ShareFile file, std::string_view name);
// Whether it is the name of any of them.
bool is_share_name(std::string_view name);
// The shares that are in the folder, in their order; none where it cannot be listed.
std::vector<ExportShare> shares_in(const std::filesystem::path& directory, ShareFile file);

// --- what was exported ---------------------------------------------------------------------------

struct ExportedFile {
  std::string exported;    // below the folder
  std::string original;    // exact, also where it is not UTF-8
  std::string collection;  // that it was exported from; of moves only, else empty
};

// A manifest's line; nothing where it cannot be read, or lacks one of the two paths.
std::optional<ExportedFile> exported_file_of(const std::string& line);

// The files of a finished manifest and of unfinished ones; none without. A line that cannot be
// read, or that lacks one of the two paths, is passed over.
std::vector<ExportedFile> read_exported_files(const std::filesystem::path& directory);

}  // namespace zeroshelf
