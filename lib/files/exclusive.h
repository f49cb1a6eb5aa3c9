#pragma once

// Files that get a name only where nothing has it: the steps of which exports are made. Each
// function returns errno, 0 when done; EEXIST when there is something of that name, also a link
// that leads nowhere. After a failure the target is as it was before.
// Threads: any.

#include <fcntl.h>

#include <filesystem>
#include <optional>
#include <utility>

#include "lib/util/hash.h"

namespace zeroshelf {

// A name in a folder that is held open, so that nobody can put another folder in its place; or any
// path, from the working folder.
struct Place {
  Place(std::filesystem::path path) : name(std::move(path)) {}  // NOLINT: a path is a place
  Place(int open_folder, std::filesystem::path in_folder)
      : folder(open_folder), name(std::move(in_folder)) {}

  int folder = AT_FDCWD;
  std::filesystem::path name;
};

// Another name on the same file system (EXDEV otherwise). Where neither an exclusive rename nor a
// second name can be had (FAT, exFAT, many file systems of programs), the name is taken by a small
// file, made exclusively, which the file then replaces; a process that is killed between the two
// leaves that small file behind.
int rename_exclusively(const Place& from, const Place& to);

// Whether what has the name is such a small file.
bool is_only_reserved(const Place& place);

// The content, the permissions and the time of a regular file. With Durable the file's content is
// on the disk afterwards.
enum class CopyWhen { Buffered, Durable };
int copy_exclusively(const Place& source, const Place& target, CopyWhen when = CopyWhen::Buffered);
// Copies an open file, from its beginning; ESTALE when its content is not the one with this hash.
// Until that is known nobody else can read the copy.
int copy_exclusively(int source, const Place& target, const std::optional<ContentHash>& content,
                     CopyWhen when = CopyWhen::Buffered);

// Flushes an open folder to the disk; 0 also where its file system cannot do that.
int sync_open_folder(int folder);

// A regular file to another place. On another file system: copied to `partial` (which is on the
// target's and is replaced), synced, compared byte by byte, renamed to the target, its folder
// synced, and only then removed; EIO when the comparison fails, EBUSY when the file changed
// meanwhile. A process that is killed leaves the file under its old name, its new one, or both.
int move_exclusively(const Place& from, const Place& to, const Place& partial);

// Whether two regular files have the same bytes; false when one cannot be read.
bool have_same_content(const Place& a, const Place& b);

// The hash of an open regular file, from its beginning; absent when it cannot be read.
std::optional<ContentHash> content_of(int file);

}  // namespace zeroshelf
