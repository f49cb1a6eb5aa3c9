// Tested by tests/output/new_file_test.cc.

#include "lib/files/new_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "lib/files/exclusive.h"
#include "lib/util/error.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& path) {
  throw Error(ErrorCode::InvalidArgument, path.string(), "it exists already",
              "an export never overwrites: name a new file with --to");
}

}  // namespace

void NewFile::check(const fs::path& path) {
  if (!path.has_filename()) {
    throw Error(ErrorCode::InvalidArgument, path.string(), "not the name of a file",
                "name a new file with --to");
  }
  std::error_code error;
  if (fs::exists(fs::symlink_status(path, error))) refuse(path);
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (!fs::is_directory(folder, error)) {
    throw Error(ErrorCode::NotFound, folder.string(), "no such folder", "make it first");
  }
}

NewFile::NewFile(fs::path path) : place_(path), shown_(std::move(path)) {
  check(shown_);
  open_unfinished();
}

NewFile::NewFile(Place place, fs::path shown) : place_(std::move(place)), shown_(std::move(shown)) {
  open_unfinished();
}

void NewFile::open_unfinished() {
  for (int number = 1; file_ == nullptr; ++number) {
    unfinished_ = place_.name;
    unfinished_ += number == 1 ? ".unfinished" : ".unfinished" + std::to_string(number);
    const int file = ::openat(place_.folder, unfinished_.c_str(),
                              O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (file < 0 && errno == EEXIST) continue;
    if (file < 0) fail(errno);
    file_ = ::fdopen(file, "w");
    if (file_ == nullptr) fail(errno);
  }
}

NewFile::~NewFile() {
  if (file_ != nullptr) std::fclose(file_);
  if (!unfinished_.empty()) ::unlinkat(place_.folder, unfinished_.c_str(), 0);
}

void NewFile::write(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) fail(errno);
}

void NewFile::publish() {
  if (std::fflush(file_) != 0 || ::fsync(::fileno(file_)) != 0) fail(errno);
  if (std::fclose(std::exchange(file_, nullptr)) != 0) fail(errno);
  const int error_number = rename_exclusively(unfinished(), place_);
  if (error_number == EEXIST) refuse(shown_);
  if (error_number != 0) fail(error_number);
  unfinished_.clear();
}

void NewFile::fail(int error_number) const {
  throw system_error(shown_.string(), "write", error_number);
}

}  // namespace zeroshelf
