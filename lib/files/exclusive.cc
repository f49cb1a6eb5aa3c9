// Tested by tests/files/exclusive_test.cc.

#include "lib/files/exclusive.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/files/descriptor.h"
#include "lib/util/content_hasher.h"
#include "lib/util/temporary_name.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBufferBytes = size_t{1} << 18;
// People may find it, and so does undo.
constexpr std::string_view kReservation =
    "zeroshelf was ended while it gave a file this name; this file may be removed\n";

int open_at(const Place& place, int flags, mode_t mode = 0) {
  return ::openat(place.folder, place.name.c_str(), flags | O_CLOEXEC, mode);
}

// For reading; waits for nothing, and is no terminal's owner.
Descriptor open_to_read(const Place& place) {
  return Descriptor(open_at(place, O_RDONLY | O_NONBLOCK | O_NOCTTY));
}

int unlink_at(const Place& place) {
  return ::unlinkat(place.folder, place.name.c_str(), 0) == 0 ? 0 : errno;
}

int status_at(const Place& place, struct stat& status) {
  const int done = ::fstatat(place.folder, place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW);
  return done == 0 ? 0 : errno;
}

// As much as there is, up to size; -1 for an error.
ssize_t read_fully(int fd, char* out, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(fd, out + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return static_cast<ssize_t>(done);
}

int write_fully(int fd, const char* bytes, size_t size) {
  for (size_t done = 0; done < size;) {
    const ssize_t written = ::write(fd, bytes + done, size - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    done += static_cast<size_t>(written);
  }
  return 0;
}

// Calls use with each piece of the file from its beginning; errno of reading, or what use returns.
template <class Use>
int for_each_piece(int from, const Use& use) {
  if (::lseek(from, 0, SEEK_SET) != 0) return errno;
  std::vector<char> buffer(kBufferBytes);
  for (;;) {
    const ssize_t got = read_fully(from, buffer.data(), buffer.size());
    if (got < 0) return errno;
    if (got == 0) return 0;
    if (const int error = use(std::span<const char>(buffer.data(), static_cast<size_t>(got))))
      return error;
  }
}

int copy_content(int from, int to, const std::optional<ContentHash>& content) {
  ContentHasher hasher;
  const int error = for_each_piece(from, [&](std::span<const char> piece) {
    if (content) hasher.update(std::as_bytes(piece));
    return write_fully(to, piece.data(), piece.size());
  });
  if (error != 0 || !content) return error;
  return hasher.finish() == *content ? 0 : ESTALE;
}

bool is_same_state(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

bool is_unsupported(int error_number) {
  return error_number == EINVAL || error_number == ENOSYS || error_number == EOPNOTSUPP;
}

int sync_folder_of(const Place& place) {
  const fs::path parent = place.name.parent_path();
  const Descriptor folder(
      open_at({place.folder, parent.empty() ? "." : parent}, O_RDONLY | O_DIRECTORY));
  return folder.is_open() ? sync_open_folder(folder.get()) : errno;
}

// A picture that is not the user's own may have no second name either, and neither one with too
// many.
bool has_no_links(int error_number) {
  return is_unsupported(error_number) || error_number == EPERM || error_number == EACCES ||
         error_number == EMLINK;
}

bool begins_with(const Place& place, std::string_view text) {
  const Descriptor file(open_at(place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  std::string beginning(text.size(), '\0');
  return file.is_open() &&
         read_fully(file.get(), beginning.data(), text.size()) ==
             static_cast<ssize_t>(text.size()) &&
         beginning == text;
}

int reserve(const Place& place, std::string_view mark) {
  Descriptor file(open_at(place, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  if (!file.is_open()) return errno;
  int error = write_fully(file.get(), mark.data(), mark.size());
  const int closed = file.close();
  if (error == 0) error = closed;
  if (error != 0) unlink_at(place);
  return error;
}

// The mark, by chance, tells that the name is still ours: numbers of files mean nothing here.
int rename_over_reservation(const Place& from, const Place& to) {
  const std::string mark = std::string(kReservation) + temporary_suffix();
  if (const int error = reserve(to, mark)) return error;
  if (!begins_with(to, mark)) return EEXIST;
  if (::renameat(from.folder, from.name.c_str(), to.folder, to.name.c_str()) == 0) return 0;
  const int error = errno;
  if (begins_with(to, mark)) unlink_at(to);
  return error;
}

int move_by_copy(const Place& from, const Place& to, const Place& partial) {
  struct stat before {};
  if (const int error = status_at(from, before)) return error;
  if (!S_ISREG(before.st_mode)) return EINVAL;
  unlink_at(partial);  // of a move that was cut short
  if (const int error = copy_exclusively(from, partial, CopyWhen::Durable)) return error;
  int error = have_same_content(from, partial) ? 0 : EIO;
  struct stat after {};
  if (error == 0 && (status_at(from, after) != 0 || !is_same_state(before, after))) error = EBUSY;
  if (error == 0) error = rename_exclusively(partial, to);
  if (error != 0) {
    unlink_at(partial);
    return error;
  }
  if (sync_folder_of(to) != 0) {
    unlink_at(to);  // the file is still where it was
    return EIO;
  }
  error = unlink_at(from);
  // E.g. a folder that may not be written to: then it stays there, and only there.
  if (error != 0) unlink_at(to);
  return error;
}

}  // namespace

int rename_exclusively(const Place& from, const Place& to) {
  if (::renameat2(from.folder, from.name.c_str(), to.folder, to.name.c_str(), RENAME_NOREPLACE) ==
      0)
    return 0;
  if (!is_unsupported(errno)) return errno;
  // A file system that cannot: a second name is refused as surely where the first exists.
  if (::linkat(from.folder, from.name.c_str(), to.folder, to.name.c_str(), 0) != 0)
    return has_no_links(errno) ? rename_over_reservation(from, to) : errno;
  const int error = unlink_at(from);
  if (error != 0) unlink_at(to);
  return error;
}

int sync_open_folder(int folder) {
  return ::fsync(folder) == 0 || is_unsupported(errno) ? 0 : errno;
}

bool is_only_reserved(const Place& place) {
  return begins_with(place, kReservation);
}

int copy_exclusively(const Place& source, const Place& target, CopyWhen when) {
  const Descriptor from = open_to_read(source);
  return from.is_open() ? copy_exclusively(from.get(), target, std::nullopt, when) : errno;
}

int copy_exclusively(int source, const Place& target, const std::optional<ContentHash>& content,
                     CopyWhen when) {
  struct stat status {};
  if (::fstat(source, &status) != 0) return errno;
  if (!S_ISREG(status.st_mode)) return EINVAL;
  Descriptor to(open_at(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  if (!to.is_open()) return errno;
  int error = copy_content(source, to.get(), content);
  if (error == 0) {
    // Worth keeping, and no reason to fail.
    const timespec times[2] = {status.st_atim, status.st_mtim};
    ::fchmod(to.get(), status.st_mode & 0777);
    ::futimens(to.get(), times);
  }
  if (error == 0 && when == CopyWhen::Durable && ::fsync(to.get()) != 0) error = errno;
  const int closed = to.close();
  if (error == 0) error = closed;
  if (error != 0) unlink_at(target);
  return error;
}

int move_exclusively(const Place& from, const Place& to, const Place& partial) {
  const int error = rename_exclusively(from, to);
  return error == EXDEV ? move_by_copy(from, to, partial) : error;
}

bool have_same_content(const Place& a, const Place& b) {
  const Descriptor first = open_to_read(a);
  const Descriptor second = open_to_read(b);
  struct stat of_first {};
  struct stat of_second {};
  if (!first.is_open() || !second.is_open() || ::fstat(first.get(), &of_first) != 0 ||
      ::fstat(second.get(), &of_second) != 0 || !S_ISREG(of_first.st_mode) ||
      !S_ISREG(of_second.st_mode) || of_first.st_size != of_second.st_size) {
    return false;
  }
  std::vector<char> other(kBufferBytes);
  const int difference = for_each_piece(first.get(), [&](std::span<const char> piece) {
    const ssize_t got = read_fully(second.get(), other.data(), piece.size());
    const bool same = got == static_cast<ssize_t>(piece.size()) &&
                      std::memcmp(piece.data(), other.data(), piece.size()) == 0;
    return same ? 0 : EIO;
  });
  return difference == 0 && read_fully(second.get(), other.data(), 1) == 0;
}

std::optional<ContentHash> content_of(int file) {
  ContentHasher hasher;
  const int error = for_each_piece(file, [&](std::span<const char> piece) {
    hasher.update(std::as_bytes(piece));
    return 0;
  });
  return error == 0 ? std::optional(hasher.finish()) : std::nullopt;
}

}  // namespace zeroshelf
