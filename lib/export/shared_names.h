#pragma once

// The names that an export by several processes gives: each process says which pictures it is going
// to place, and all of them get the names that one process would give them, in the order of their
// paths.
//
// Every name is given by one of the processes: that of the base of its file's name
// (export_names.h), so that none has to know them all. What a process keeps of a picture meanwhile
// is its path, and afterwards a number.
//
// Threads: one at a time.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/export/export_names.h"
#include "lib/files/disk.h"
#include "lib/util/ranks.h"

namespace zeroshelf {

// One picture's.
struct GivenName {
  std::filesystem::path place;  // below the export's folder
  // Where the picture before has the same path: that one's place.
  std::optional<std::filesystem::path> earlier;
};

class SharedNames {
 public:
  // The ranks must outlive it. disk: the same everywhere.
  SharedNames(Ranks& ranks, const DiskNames& disk)
      : ranks_(ranks), disk_(disk), names_(disk), wanted_(ranks.size()) {}

  // To be called for each picture in the order of their paths; folders: as ExportItem has them.
  void want(const std::filesystem::path& source, const std::vector<std::string>& folders);
  // All ranks call it together. Afterwards next() gives the names, and want() begins anew.
  void give();
  // The next picture's, in the order of want(), with what was said there.
  GivenName next(const std::filesystem::path& source, const std::vector<std::string>& folders);

 private:
  void name_folders();
  std::vector<std::string> give_to_all(const std::vector<std::string>& wanted);

  Ranks& ranks_;
  DiskNames disk_;
  ExportNames names_;  // folders: as all have them; files: those that this process gives
  // Folders, by depth and name, and the first path in each.
  std::map<std::pair<size_t, std::string>, std::string> first_;
  std::map<std::vector<std::string>, size_t> folders_;  // and their numbers
  std::vector<std::string> wanted_;                     // of each process: FOLDER SOURCE ...
  std::vector<uint32_t> givers_;                        // of each picture
  std::vector<uint32_t> numbers_;                       // that each picture's name got
  std::map<size_t, std::filesystem::path> earlier_;     // of some pictures
  size_t next_ = 0;
};

}  // namespace zeroshelf
