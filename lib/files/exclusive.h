#pragma once

// Files that get a name only where nothing has it: the steps of which exports are made. Each
// function returns errno, 0 when done; EEXIST when there is something of that name, also a link
// that leads nowhere. After a failure the target is as it was before.
// Threads: any.

#include <filesystem>

namespace zeroshelf {

// Another name on the same file system (EXDEV otherwise).
int rename_exclusively(const std::filesystem::path& from, const std::filesystem::path& to);

// The content, the permissions and the time of a regular file. With Durable the file's content is
// on the disk afterwards.
enum class CopyWhen { Buffered, Durable };
int copy_exclusively(const std::filesystem::path& source, const std::filesystem::path& target,
                     CopyWhen when = CopyWhen::Buffered);

// A regular file to another place. On another file system: copied to `partial` (which is on the
// target's and is replaced), synced, compared byte by byte, renamed to the target, its folder
// synced, and only then removed; EIO when the comparison fails, EBUSY when the file changed
// meanwhile. A process that is killed leaves the file under its old name, its new one, or both.
int move_exclusively(const std::filesystem::path& from, const std::filesystem::path& to,
                     const std::filesystem::path& partial);

// Whether two regular files have the same bytes; false when one cannot be read.
bool have_same_content(const std::filesystem::path& a, const std::filesystem::path& b);

}  // namespace zeroshelf
