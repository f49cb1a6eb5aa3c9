// Tested by tests/files/replace_file_test.cc.

#include "lib/files/replace_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

namespace zeroshelf {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

FileLook look_of(const struct stat& status) {
  FileLook look;
  look.is_there = true;
  look.is_regular = S_ISREG(status.st_mode);
  look.mode = status.st_mode & 07777;
  look.device = status.st_dev;
  look.inode = status.st_ino;
  look.size_bytes = static_cast<uint64_t>(status.st_size);
  look.mtime_ns = status.st_mtim.tv_sec * kSecond + status.st_mtim.tv_nsec;
  look.changed_ns = status.st_ctim.tv_sec * kSecond + status.st_ctim.tv_nsec;
  return look;
}

int write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

// What people and their programs put there (tags of file managers), and access lists; what the
// system keeps of a file's bytes is not true of others.
bool is_taken_over(std::string_view name) {
  return name.starts_with("user.") || name == "system.posix_acl_access";
}

int copy_attributes(int from, int to) {
  const ssize_t size = ::flistxattr(from, nullptr, 0);
  if (size <= 0) return 0;  // none, or a file system without them
  std::string names(static_cast<size_t>(size), '\0');
  const ssize_t got = ::flistxattr(from, names.data(), names.size());
  if (got < 0) return errno;
  names.resize(static_cast<size_t>(got));
  for (size_t at = 0; at < names.size();) {
    const std::string name = names.c_str() + at;
    at += name.size() + 1;
    if (!is_taken_over(name)) continue;
    const ssize_t length = ::fgetxattr(from, name.c_str(), nullptr, 0);
    if (length < 0) return errno;
    std::vector<char> value(static_cast<size_t>(length));
    if (::fgetxattr(from, name.c_str(), value.data(), value.size()) != length) return EAGAIN;
    if (::fsetxattr(to, name.c_str(), value.data(), value.size(), 0) != 0) return errno;
  }
  return 0;
}

int make_like(int file, int model) {
  struct stat wanted {};
  struct stat own {};
  if (::fstat(model, &wanted) != 0 || ::fstat(file, &own) != 0) return errno;
  const bool is_owned = wanted.st_uid == own.st_uid && wanted.st_gid == own.st_gid;
  if (!is_owned && ::fchown(file, wanted.st_uid, wanted.st_gid) != 0) return errno;
  // Before the access list, whose mask they are.
  if ((wanted.st_mode & 07777) != (own.st_mode & 07777) &&
      ::fchmod(file, wanted.st_mode & 07777) != 0) {
    return errno;
  }
  return copy_attributes(model, file);
}

int dress(int file, const FileTraits& traits) {
  if (traits.like >= 0) {
    if (const int error = make_like(file, traits.like)) return error;
  }
  if (!traits.mtime_ns) return 0;
  const timespec times[2] = {{0, UTIME_OMIT},
                             {static_cast<time_t>(*traits.mtime_ns / kSecond),
                              static_cast<long>(*traits.mtime_ns % kSecond)}};
  return ::futimens(file, times) == 0 ? 0 : errno;
}

}  // namespace

int look_at(const Place& place, FileLook& look) {
  struct stat status {};
  look = {};
  if (::fstatat(place.folder, place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT ? 0 : errno;
  look = look_of(status);
  return 0;
}

int look_at(int open_file, FileLook& look) {
  struct stat status {};
  look = {};
  if (::fstat(open_file, &status) != 0) return errno;
  look = look_of(status);
  return 0;
}

int make_file(const Place& place, std::string_view bytes, const FileTraits& traits) {
  const mode_t mode = traits.like >= 0 ? S_IRUSR | S_IWUSR : traits.mode;
  Descriptor file(::openat(place.folder, place.name.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file.is_open()) return errno;
  int error = write_all(file.get(), bytes);
  if (error == 0) error = dress(file.get(), traits);
  const int closed = file.close();
  if (error == 0) error = closed;
  if (error != 0) ::unlinkat(place.folder, place.name.c_str(), 0);
  return error;
}

int sync_file(const Place& place) {
  const Descriptor file(
      ::openat(place.folder, place.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  return file.is_open() && ::fsync(file.get()) == 0 ? 0 : errno;
}

int put_in_place(const Place& made, const Place& target, const FileLook& was) {
  if (!was.is_there) return rename_exclusively(made, target);
  FileLook now;
  if (const int error = look_at(target, now)) return error;
  if (now != was) return ESTALE;
  return ::renameat(made.folder, made.name.c_str(), target.folder, target.name.c_str()) == 0
             ? 0
             : errno;
}

}  // namespace zeroshelf
