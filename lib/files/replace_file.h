#pragma once

// A file in the place of another one: the steps by which files that are not ours are changed. Each
// function returns errno, 0 when done. Threads: any.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "lib/files/descriptor.h"
#include "lib/files/exclusive.h"

namespace zeroshelf {

// Which file has a name, and as of when; equal looks: the same file, unchanged as far as times tell.
struct FileLook {
  bool is_there = false;
  bool is_regular = false;
  mode_t mode = 0;  // permissions
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size_bytes = 0;
  int64_t mtime_ns = 0;
  int64_t changed_ns = 0;

  bool operator==(const FileLook&) const = default;
};

// No link is followed. What cannot be looked at is not there only where the system says so (ENOENT).
int look_at(const Place& place, FileLook& look);
int look_at(int open_file, FileLook& look);

// What a file has beside its bytes.
struct FileTraits {
  int like = -1;      // an open file whose permissions, owner and attributes it gets; -1: none,
  mode_t mode = 0666; // then these, less the umask
  std::optional<int64_t> mtime_ns;
};

// Makes a file that must not be there. Owners that cannot be kept are EPERM. After a failure there
// is none.
int make_file(const Place& place, std::string_view bytes, const FileTraits& traits);

// Its bytes are on the disk.
int sync_file(const Place& place);

// Gives the file the name of another one, which is gone then and must be as it was: ESTALE where
// something else is there by now. Where there was nothing, there must be nothing (EEXIST).
int put_in_place(const Place& made, const Place& target, const FileLook& was);

}  // namespace zeroshelf
