#pragma once

// What happens in folders, as the system tells it (inotify), and which disks are mounted there.
//
// Each folder is watched by itself: what comes into a folder that is not watched yet is not told,
// so a new folder is watched first and listed then (FindOptions::on_folder). Names that begin with a
// dot are not told. On shares (NFS, SMB) the system tells what this machine does, and nothing of
// what others do.
//
// Threads: one at a time.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "lib/files/descriptor.h"
#include "lib/util/error.h"

namespace zeroshelf {

struct FolderEvent {
  enum class Kind {
    Created,   // a file that may be written now
    Finished,  // a file was written and closed, or is there whole: renamed, linked
    Changed,   // anything else: a folder came, something went away or got other rights
    Lost,      // anything may have happened: too much to be told, or another disk is mounted
  };
  Kind kind = Kind::Lost;
  std::string path;  // absolute; empty with Lost
};

class FolderWatch {
 public:
  // roots: absolute; disks that are mounted at, below or above them count. most_folders: watched at
  // most, in place of what the system allows, for tests.
  explicit FolderWatch(std::vector<std::string> roots, size_t most_folders = SIZE_MAX);

  // A round names all folders: those that it did not name are not watched any more when it ends.
  void begin_round();
  void end_round();

  // From now on; again is no harm, and moves a folder that was renamed to its new name. A folder
  // that is gone, or may not be read, is left out. One that the system cannot watch is trouble().
  void watch(const std::string& folder);
  void forget(const std::string& folder);
  size_t folders() const { return folders_.size(); }

  // Why not everything that this round named is watched, and what to do; nothing where all is.
  const std::optional<Error>& trouble() const { return trouble_; }

  // Waits until something happened, `wake` (a descriptor; -1: none) can be read, or the time is
  // over, and returns all that happened, in its order. A signal may end it early.
  std::vector<FolderEvent> wait(std::chrono::milliseconds at_most, int wake);

 private:
  struct Folder {
    std::string path;
    uint64_t round = 0;  // that named it last
  };

  void open();
  void drop(int number);
  void read_events(std::vector<FolderEvent>& events);
  void take(int number, uint32_t mask, const char* name, std::vector<FolderEvent>& events);
  std::string mounts() const;

  std::vector<std::string> roots_;
  size_t most_folders_;
  Descriptor inotify_;
  Descriptor mount_table_;
  std::string mounts_;                             // the last look at what concerns the roots
  uint64_t round_ = 0;
  std::unordered_map<int, Folder> folders_;        // by the number of the watch
  std::unordered_map<std::string, int> numbers_;   // by path
  std::optional<Error> trouble_;
};

}  // namespace zeroshelf
