// Tested by tests/files/new_file_test.cc, and that no failing call loses a file by
// tests/collection/failing_calls_test.cc.

#include "lib/files/new_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/temporary_name.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBufferBytes = size_t{1} << 16;
constexpr int kCreate = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

[[noreturn]] void fail(const fs::path& path, const char* doing, int error_number) {
  throw system_error(path.string(), doing, error_number);
}

[[noreturn]] void refuse(const fs::path& path) {
  throw Error(ErrorCode::InvalidArgument, path.string(), "it exists already",
              "nothing is ever overwritten: name a new file");
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

}  // namespace

void NewFile::check(const fs::path& path) {
  if (!path.has_filename()) {
    throw Error(ErrorCode::InvalidArgument, path.string(), "not the name of a file",
                "name a new file");
  }
  std::error_code error;
  if (fs::exists(fs::symlink_status(path, error))) refuse(path);
  const fs::path folder = folder_of(path);
  const fs::file_status status = fs::status(folder, error);
  if (fs::is_directory(status)) return;
  if (status.type() == fs::file_type::not_found)
    throw Error(ErrorCode::NotFound, folder.string(), "no such folder", "make it first");
  if (status.type() == fs::file_type::none)
    throw system_error(folder.string(), "look into the folder", error.value());
  throw Error(ErrorCode::InvalidArgument, folder.string(), "not a folder",
              "name a file in a folder");
}

NewFile::NewFile(Place place, fs::path shown)
    : place_(std::move(place)), path_(std::move(shown)), existing_(Existing::Refuse) {
  open_unfinished();
}

NewFile::NewFile(fs::path path, Existing existing)
    : place_(path), path_(std::move(path)), existing_(existing) {
  if (existing_ == Existing::Refuse) {
    check(path_);
    open_unfinished();
  } else {
    open_replacement();
  }
}

void NewFile::open_unfinished() {
  for (int number = 1; fd_ < 0; ++number) {
    unfinished_ = place_.name;
    unfinished_ += number == 1 ? ".unfinished" : ".unfinished" + std::to_string(number);
    fd_ = ::openat(place_.folder, unfinished_.c_str(), kCreate, 0666);
    if (fd_ < 0 && errno != EEXIST) fail(unfinished_shown(), "write", errno);
  }
}

void NewFile::open_replacement() {
  do {
    unfinished_ = place_.name;
    unfinished_ += temporary_suffix();
    // By this name, which the tests of failing calls know it by.
    fd_ = ::open(unfinished_.c_str(), kCreate, 0666);
  } while (fd_ < 0 && errno == EEXIST);
  if (fd_ < 0) fail(unfinished_shown(), "open", errno);
}

fs::path NewFile::unfinished_shown() const {
  return path_.parent_path() / unfinished_.filename();
}

NewFile::~NewFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!unfinished_.empty()) ::unlinkat(place_.folder, unfinished_.c_str(), 0);
}

void NewFile::write(std::string_view bytes) {
  if (buffer_.size() + bytes.size() <= kBufferBytes) {
    buffer_ += bytes;
    return;
  }
  flush();
  if (bytes.size() < kBufferBytes) {
    buffer_ += bytes;
  } else {
    write_through(bytes);
  }
}

void NewFile::write(std::span<const std::byte> bytes) {
  write(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

void NewFile::flush() {
  write_through(buffer_);
  buffer_.clear();
}

void NewFile::write_through(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(unfinished_shown(), "write", errno);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

void NewFile::rewrite_beginning(std::string_view bytes) {
  flush();
  if (::lseek(fd_, 0, SEEK_SET) < 0) fail(unfinished_shown(), "write", errno);
  write_through(bytes);
  if (::lseek(fd_, 0, SEEK_END) < 0) fail(unfinished_shown(), "write", errno);
}

void NewFile::complete() {
  flush();
  if (::fsync(fd_) != 0) fail(unfinished_shown(), "sync", errno);
  // Some file systems tell of a failed write only now.
  if (::close(std::exchange(fd_, -1)) != 0) fail(unfinished_shown(), "close", errno);
}

void NewFile::publish() {
  if (fd_ >= 0) complete();
  if (existing_ == Existing::Replace) {
    if (::rename(unfinished_.c_str(), place_.name.c_str()) != 0) fail(path_, "replace", errno);
  } else {
    const int error_number = rename_exclusively(unfinished_place(), place_);
    if (error_number == EEXIST) refuse(path_);
    if (error_number != 0) fail(path_, "write", error_number);
  }
  unfinished_.clear();
  sync_path(folder_of(path_));
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  NewFile file(path, Existing::Replace);
  file.write(content);
  file.publish();
}

}  // namespace zeroshelf
