#pragma once

// What the file system of a folder can do. Disks that go from hand to hand (FAT, exFAT), shares of
// other machines (SMB) and file systems of programs (FUSE) have no links, take fewer names, or
// number their files anew each time.
// Threads: any.

#include <filesystem>

#include "lib/files/exclusive.h"

namespace zeroshelf {

// Which names files may have.
struct DiskNames {
  bool any_character = true;  // also ? : " * | < > and a dot or a blank at the end
  bool any_script = true;     // not only ASCII
  bool tell_case = true;      // "Cat" and "cat" are two

  bool operator==(const DiskNames&) const = default;
};

struct DiskAbilities {
  DiskNames names;
  bool symbolic_links = true;
  bool hard_links = true;
};

// Tried in a folder that may be written to: files are made there, named "zeroshelf-trial" and the
// like, and removed. What fails for another reason (a full disk) counts as what can be done.
DiskAbilities try_disk(int open_folder);

// The path as the folders that it lies in list it: where case is not told apart, "/media/usb/dcim"
// may be kept as "/media/usb/DCIM". What is not there is left as it is.
std::filesystem::path as_listed(const std::filesystem::path& path);

// What the identities of files (lib/util/file_identity.h) are worth: numbers that are made up while
// a file system is mounted say nothing, and neither do times of change that it does not keep.
struct IdentityTrust {
  bool inode = true;
  bool changed = true;
};

// For the file system that a path is on; neither where that cannot be told.
IdentityTrust identity_trust(const std::filesystem::path& path);
IdentityTrust identity_trust(int open_file);

}  // namespace zeroshelf
