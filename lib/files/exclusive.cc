// Tested by tests/output/exclusive_test.cc.

#include "lib/files/exclusive.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "lib/util/error.h"
#include "lib/util/file.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBufferBytes = size_t{1} << 18;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  int close() {
    const int result = ::close(fd_);
    fd_ = -1;
    return result == 0 ? 0 : errno;
  }

 private:
  int fd_;
};

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

int copy_content(int from, int to) {
  std::vector<char> buffer(kBufferBytes);
  for (;;) {
    const ssize_t got = read_fully(from, buffer.data(), buffer.size());
    if (got < 0) return errno;
    if (got == 0) return 0;
    if (const int error = write_fully(to, buffer.data(), static_cast<size_t>(got))) return error;
  }
}

bool is_same_state(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

int move_by_copy(const fs::path& from, const fs::path& to, const fs::path& partial) {
  struct stat before {};
  if (::lstat(from.c_str(), &before) != 0) return errno;
  if (!S_ISREG(before.st_mode)) return EINVAL;
  ::unlink(partial.c_str());  // of a move that was cut short
  if (const int error = copy_exclusively(from, partial, CopyWhen::Durable)) return error;
  int error = have_same_content(from, partial) ? 0 : EIO;
  struct stat after {};
  if (error == 0 && (::lstat(from.c_str(), &after) != 0 || !is_same_state(before, after)))
    error = EBUSY;
  if (error == 0) error = rename_exclusively(partial, to);
  if (error != 0) {
    ::unlink(partial.c_str());
    return error;
  }
  try {
    sync_path(to.parent_path());
  } catch (const Error&) {
    ::unlink(to.c_str());  // the file is still where it was
    return EIO;
  }
  if (::unlink(from.c_str()) == 0) return 0;
  error = errno;  // e.g. a folder that may not be written to: then it stays there, and only there
  ::unlink(to.c_str());
  return error;
}

}  // namespace

int rename_exclusively(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A file system that cannot: a second name is refused as surely where the first exists.
  if (::link(from.c_str(), to.c_str()) != 0) return errno;
  return ::unlink(from.c_str()) == 0 ? 0 : errno;
}

int copy_exclusively(const fs::path& source, const fs::path& target, CopyWhen when) {
  const Descriptor from(::open(source.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!from.is_open()) return errno;
  struct stat status {};
  if (::fstat(from.get(), &status) != 0) return errno;
  if (!S_ISREG(status.st_mode)) return EINVAL;
  const mode_t permissions = status.st_mode & 0777;
  Descriptor to(
      ::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, permissions | S_IWUSR));
  if (!to.is_open()) return errno;
  int error = copy_content(from.get(), to.get());
  if (error == 0) {
    // Worth keeping, and no reason to fail.
    const timespec times[2] = {status.st_atim, status.st_mtim};
    ::fchmod(to.get(), permissions);
    ::futimens(to.get(), times);
  }
  if (error == 0 && when == CopyWhen::Durable && ::fsync(to.get()) != 0) error = errno;
  const int closed = to.close();
  if (error == 0) error = closed;
  if (error != 0) ::unlink(target.c_str());
  return error;
}

int move_exclusively(const fs::path& from, const fs::path& to, const fs::path& partial) {
  const int error = rename_exclusively(from, to);
  return error == EXDEV ? move_by_copy(from, to, partial) : error;
}

bool have_same_content(const fs::path& a, const fs::path& b) {
  const Descriptor first(::open(a.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  const Descriptor second(::open(b.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat of_first {};
  struct stat of_second {};
  if (!first.is_open() || !second.is_open() || ::fstat(first.get(), &of_first) != 0 ||
      ::fstat(second.get(), &of_second) != 0 || !S_ISREG(of_first.st_mode) ||
      !S_ISREG(of_second.st_mode) || of_first.st_size != of_second.st_size) {
    return false;
  }
  std::vector<char> left(kBufferBytes);
  std::vector<char> right(kBufferBytes);
  for (;;) {
    const ssize_t got = read_fully(first.get(), left.data(), left.size());
    if (got < 0 || read_fully(second.get(), right.data(), right.size()) != got) return false;
    if (got == 0) return true;
    if (std::memcmp(left.data(), right.data(), static_cast<size_t>(got)) != 0) return false;
  }
}

}  // namespace zeroshelf
