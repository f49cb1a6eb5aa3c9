#pragma once

// Roots given by the user -> the files below them that may be pictures.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lib/files/neighbours.h"
#include "lib/util/file_identity.h"
#include "lib/util/skip.h"

namespace zeroshelf {

// A regular file, as the listing saw it.
struct FoundFile {
  std::string path;  // absolute, lexically normal, bytes as the system gives them
  uint64_t size_bytes = 0;
  int64_t mtime_ns = 0;     // since the epoch
  FileIdentity identity{};  // the device is that of the folder it is in
};

// Something that is no regular file, a folder that cannot be listed, or a link to one elsewhere.
struct SkippedPath {
  std::string path;
  Skip skip;
};

// What a root that does not exist, or a folder that cannot be listed, means.
enum class BadRoots {
  Refuse,  // an error, before anything is visited
  Report,  // a SkippedPath (Vanished or Unreadable), and the walk goes on
};

// What a symbolic link to a folder means, below the roots.
enum class LinkedFolders {
  Report,  // not followed; a SkippedPath (LinkedFolder) unless the walk reaches its folder anyway
  Follow,
};

// What the walk does with a folder.
enum class FolderStep {
  Entered,     // it is about to be listed
  PassedOver,  // it was entered, and nothing of it is visited
};

struct FindOptions {
  BadRoots bad_roots = BadRoots::Refuse;
  LinkedFolders linked_folders = LinkedFolders::Report;
  // Told of what stands beside pictures and is none, which is then not visited: files below the
  // roots, and folders that are no roots. Without it such files are found like any other, and such
  // folders walked.
  std::function<void(Neighbour, const std::string& path)> pass_over{};
  // Told of each folder before it is listed: what comes into it from then on is listed, or later
  // than this call. May be empty.
  std::function<void(FolderStep, const std::string& path)> on_folder{};
};

// Walks the roots (files or folders) in the byte order of their absolute paths, each depth first
// with its entries in byte order, and calls visit for each path once, also where roots overlap. The
// same tree gives the same order, whatever the order of the roots.
//
// A link to a file stands for the file, which is found under each of its names. A root may be a
// link too; links to folders below the roots are followed only where the options say so, so that
// nothing from outside the roots comes in by a link ("up -> .."). A folder reached twice, by a loop
// or by two links, is walked once, under the path that comes first. FIFOs, sockets
// and devices are reported (NotRegularFile) and never opened. Hidden files and folders (a name that
// starts with a dot) are passed over unless they are roots. excluded (the collection's own folder;
// may be empty) is passed over, by whatever path it is reached.
//
// Links to folders that are not followed are reported at the end. Also reported, and the walk goes
// on: a folder that cannot be listed, and a path longer than the system takes (Unreadable); a link
// to something that does not exist (Vanished).
//
// A folder's files are visited before the next folder is listed; memory goes with the folders
// on the way down, and each is closed before its files are visited. What visit throws ends the
// walk.
//
// Throws NotFound or Io for a bad root with BadRoots::Refuse.
void find_files(const std::vector<std::filesystem::path>& roots,
                const std::filesystem::path& excluded,
                const std::function<void(std::variant<FoundFile, SkippedPath>)>& visit,
                const FindOptions& options = {});

// The regular file at this absolute path, links followed, as find_files would find it; nothing
// where there is none.
std::optional<FoundFile> find_file(const std::string& path);

// Throws what find_files does for a bad root with BadRoots::Refuse, before there is anything to
// wait for.
void check_roots(const std::vector<std::filesystem::path>& roots);

// The bytes of a file that find_files found: those that go with its size and time, since the file
// has both before and after they are read, and a later change gives it another time (on file
// systems that keep times to 10 ms or better). For that it waits until the file is 20 ms old.
// Waits for nothing else, even when a FIFO took the file's place.
// Skips: Vanished, Unreadable, NotRegularFile, TooManyBytes (by the size found, unopened), Changed
// (its size or time is no longer the one found, before or after reading).
std::variant<std::string, Skip> read_found_file(const FoundFile& file, uint64_t max_bytes);

}  // namespace zeroshelf
