// Tested by tests/output/new_file_test.cc.

#include "lib/files/new_file.h"

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

[[noreturn]] void fail(const fs::path& path) {
  throw system_error(path.string(), "write", errno);
}

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

NewFile::NewFile(fs::path path) : path_(std::move(path)) {
  check(path_);
  open_unfinished();
}

void NewFile::open_unfinished() {
  for (int number = 1; file_ == nullptr; ++number) {
    unfinished_ = path_;
    unfinished_ += number == 1 ? ".unfinished" : ".unfinished" + std::to_string(number);
    file_ = std::fopen(unfinished_.c_str(), "wxe");
    if (file_ == nullptr && errno != EEXIST) fail(unfinished_);
  }
}

NewFile::~NewFile() {
  if (file_ != nullptr) std::fclose(file_);
  if (!unfinished_.empty()) ::unlink(unfinished_.c_str());
}

void NewFile::write(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) fail(unfinished_);
}

void NewFile::publish() {
  if (std::fflush(file_) != 0 || ::fsync(::fileno(file_)) != 0) fail(unfinished_);
  if (std::fclose(std::exchange(file_, nullptr)) != 0) fail(unfinished_);
  const int error_number = rename_exclusively(unfinished_, path_);
  if (error_number == EEXIST) refuse(path_);
  if (error_number != 0) {
    errno = error_number;
    fail(path_);
  }
  unfinished_.clear();
}

}  // namespace zeroshelf
