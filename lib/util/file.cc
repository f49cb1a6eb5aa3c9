// Tested by tests/util/file_test.cc.

#include "lib/util/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "lib/util/error.h"
#include "lib/util/temporary_name.h"

namespace zeroshelf {
namespace {

[[noreturn]] void throw_errno(const std::filesystem::path& path, const char* doing) {
  throw system_error(path.string(), doing, errno);
}

class FileDescriptor {
 public:
  FileDescriptor(const std::filesystem::path& path, int flags, mode_t mode = 0)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {
    if (fd_ < 0) throw_errno(path, "open");
  }
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  int get() const { return fd_; }

 private:
  int fd_;
};

uint64_t regular_size(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw_errno(path, "read");
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorCode::InvalidArgument, path.string(), "not a regular file");
  }
  return static_cast<uint64_t>(status.st_size);
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  const FileDescriptor file(path, O_RDONLY | O_NONBLOCK);
  size_ = regular_size(file, path);
  if (size_ == 0) return;
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file.get(), 0);
  // What some file systems of programs cannot.
  if (address == MAP_FAILED && errno == ENODEV)
    address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (address == MAP_FAILED) throw_errno(path, "map");
  data_ = static_cast<const std::byte*>(address);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

std::string read_file(const std::filesystem::path& path, uint64_t limit_bytes) {
  const FileDescriptor file(path, O_RDONLY | O_NONBLOCK);
  return read_open_file(file.get(), regular_size(file, path), limit_bytes, path);
}

std::string read_open_file(int file, uint64_t size_bytes, uint64_t limit_bytes,
                           const std::filesystem::path& shown) {
  if (size_bytes > limit_bytes) {
    throw Error(ErrorCode::InvalidArgument, shown.string(),
                fmt::format("too large: {} bytes, at most {} are read", size_bytes, limit_bytes));
  }
  std::string content(size_bytes, '\0');
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t got = ::read(file, content.data() + done, content.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno(shown, "read");
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  content.resize(done);
  return content;
}

void sync_path(const std::filesystem::path& path) {
  const FileDescriptor file(path, O_RDONLY);
  if (::fsync(file.get()) == 0) return;
  const int error = errno;
  // Some file systems cannot sync a folder: there is nothing to wait for then.
  const bool cannot = error == EINVAL || error == ENOSYS || error == EOPNOTSUPP;
  struct stat status {};
  if (cannot && ::fstat(file.get(), &status) == 0 && S_ISDIR(status.st_mode)) return;
  throw system_error(path.string(), "sync", error);
}

std::filesystem::path absolute_path(const std::filesystem::path& path) {
  std::filesystem::path result = std::filesystem::absolute(path).lexically_normal();
  if (!result.has_filename() && result.has_relative_path()) result = result.parent_path();
  return result;
}

}  // namespace zeroshelf
