#pragma once

// The names that an export gives below its folder.

#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "lib/files/disk.h"

namespace zeroshelf {

// A label or file name as one safe path component of at most 200 bytes; a longer one is cut and
// gets a checksum of the whole, so that different names stay different. On a disk that tells no
// case apart two may still be one.
std::string safe_file_name(std::string_view name, const DiskNames& names = {});

// "name.jpg", "name (2).jpg", "name (3).jpg"
std::string numbered_name(const std::string& name, unsigned number);

// No two files in a folder that differ in their ending alone ("a.jpg", "a.png"), or any.
enum class NamesDiffer { Anywhere, InStem };

// Gives each name once. What it gives follows from what it was asked for until then.
// Threads: one at a time.
class ExportNames {
 public:
  explicit ExportNames(const DiskNames& disk, NamesDiffer differ = NamesDiffer::Anywhere)
      : disk_(disk), differ_(differ) {}

  // The name of a folder that is asked for by that name and lies at that depth, 0 at the top: the
  // same in every part of the export, e.g. in both halves of an image folder. Two that a disk takes
  // for one are numbered.
  std::string folder_name(size_t depth, const std::string& name);
  // The same of folders, each in the one before.
  std::filesystem::path folder_of(const std::vector<std::string>& names);

  // The number of the first name of a file, in that folder, that was not given yet; something else
  // may have it all the same.
  unsigned free_number(const std::filesystem::path& folder, const std::filesystem::path& source);
  // A file's place by its number.
  std::filesystem::path place_of(const std::filesystem::path& folder,
                                 const std::filesystem::path& source, unsigned number) const;

 private:
  DiskNames disk_;
  NamesDiffer differ_;
  // For each depth: the folders' names by those that were asked for, and which are taken.
  std::map<std::pair<size_t, std::string>, std::string> folder_names_;
  std::set<std::pair<size_t, std::string>> taken_folders_;
  std::unordered_set<std::string> taken_;  // names, without their ending when stems differ
  // The last number that was given to a name.
  std::unordered_map<std::string, unsigned> numbers_;
};

// What all names that a file could get have in common, and no name that it could not: two files
// whose bases differ never want one name.
std::string base_of_names(const std::filesystem::path& source, const DiskNames& disk);

}  // namespace zeroshelf
