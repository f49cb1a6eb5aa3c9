// Tested by tests/collection/attachments_test.cc.

#include "lib/collection/attachments.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <fstream>
#include <span>
#include <system_error>
#include <utility>

#include "lib/collection/layout.h"
#include "lib/files/new_file.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/temporary_name.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "zskept01";
constexpr size_t kMaxNameLength = 100;
constexpr size_t kChecksumLength = 32;
constexpr uint64_t kMaxBytes = uint64_t{4} << 30;
constexpr std::string_view kAsideEnding = ".damaged";

bool is_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= kMaxNameLength && name.front() != '.' &&
         std::ranges::all_of(name, allowed);
}

// Not a file that is being written, nor one that was put aside.
bool is_attachment_name(std::string_view name) {
  return is_name(name) && !name.ends_with(".new") && !name.ends_with(kAsideEnding);
}

// Over the kind and the name too, so that a file which was moved is not taken for another.
std::string seal_of(std::string_view kind, std::string_view name, std::string_view content) {
  Checksum128 checksum;
  checksum.update(fmt::format("{}/{}\n", kind, name));
  checksum.update(std::as_bytes(std::span(content)));
  return checksum.hex();
}

std::vector<std::string> names_in(const fs::path& directory, fs::file_type type) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (it->symlink_status(error).type() == type && is_attachment_name(name)) names.push_back(name);
  }
  if (error && error != std::errc::no_such_file_or_directory)
    throw system_error(directory.string(), "list", error.value());
  std::sort(names.begin(), names.end());
  return names;
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  if (fs::create_directory(folder, error)) sync_path(folder.parent_path());
  if (error) throw system_error(folder.string(), "make", error.value());
}

// Held while the object lives: two processes that put the same name write the same temporary file.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder)
      : fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (fd_ < 0) throw system_error(folder.string(), "open", errno);
    while (::flock(fd_, LOCK_EX) != 0) {
      if (errno == EINTR) continue;
      const int cause = errno;
      ::close(fd_);
      throw system_error(folder.string(), "lock", cause);
    }
  }
  ~FolderLock() { ::close(fd_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_;
};

bool begins_as_ours(const fs::path& path) {
  std::error_code error;
  if (fs::symlink_status(path, error).type() != fs::file_type::regular) return false;
  std::string beginning(kMagic.size(), '\0');
  std::ifstream file(path, std::ios::binary);
  return file.read(beginning.data(), static_cast<std::streamsize>(beginning.size())) &&
         beginning == kMagic;
}

// What a killed put of this name has left; the folder's lock is held.
void remove_unfinished(const fs::path& folder, std::string_view name) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string found = it->path().filename().string();
    if (name_behind_temporary(found) == name && begins_as_ours(it->path()))
      ::unlink(it->path().c_str());
  }
}

}  // namespace

Attachments::Attachments(fs::path collection)
    : directory_(std::move(collection) / layout::kAttachmentsFolder) {}

void Attachments::check_name(const std::string& flag, std::string_view name) {
  if (is_attachment_name(name)) return;
  throw Error(ErrorCode::InvalidArgument, flag,
              fmt::format("'{}' is no name to keep something under", printable(std::string(name))),
              fmt::format("use 1 to {} letters, digits, '.', '_' and '-', not beginning with '.'",
                          kMaxNameLength));
}

fs::path Attachments::file_of(std::string_view kind, std::string_view name) const {
  assert(is_name(kind) && is_name(name));
  return directory_ / kind / name;
}

void Attachments::put(std::string_view kind, std::string_view name,
                      std::string_view content) const {
  const fs::path path = file_of(kind, name);
  make_folder(directory_);
  make_folder(path.parent_path());
  const FolderLock lock(path.parent_path());
  remove_unfinished(path.parent_path(), name);
  NewFile file(path, Existing::Replace);
  const std::string seal = seal_of(kind, name, content);
  for (const std::string_view part : {kMagic, std::string_view(seal), content})
    file.write(std::as_bytes(std::span(part)));
  file.publish();
}

std::optional<std::string> Attachments::get(std::string_view kind, std::string_view name) const {
  const fs::path path = file_of(kind, name);
  std::string bytes;
  try {
    bytes = read_file(path, kMaxBytes);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::NotFound) return std::nullopt;
    throw;
  }
  const std::string_view all = bytes;
  constexpr size_t kHeaderLength = kMagic.size() + kChecksumLength;
  if (all.size() < kHeaderLength || !all.starts_with(kMagic) ||
      all.substr(kMagic.size(), kChecksumLength) != seal_of(kind, name, all.substr(kHeaderLength)))
    throw Error(ErrorCode::Corruption, path.string(), "damaged: it fails its checksum",
                "delete it, and make it again");
  return bytes.substr(kHeaderLength);
}

std::vector<std::string> Attachments::names(std::string_view kind) const {
  assert(is_name(kind));
  return names_in(directory_ / kind, fs::file_type::regular);
}

std::vector<std::string> Attachments::kinds() const {
  return names_in(directory_, fs::file_type::directory);
}

std::string Attachments::put_aside(std::string_view kind, std::string_view name) const {
  const fs::path path = file_of(kind, name);
  const FolderLock lock(path.parent_path());
  if (!begins_as_ours(path)) return "";
  for (int number = 1;; ++number) {
    const std::string aside = number == 1 ? fmt::format("{}{}", name, kAsideEnding)
                                          : fmt::format("{}.{}{}", name, number, kAsideEnding);
    const fs::path target = path.parent_path() / aside;
    std::error_code error;
    if (fs::symlink_status(target, error).type() != fs::file_type::not_found) continue;
    fs::rename(path, target, error);
    if (error) throw system_error(path.string(), "rename", error.value());
    sync_path(path.parent_path());
    return aside;
  }
}

bool Attachments::remove(std::string_view kind, std::string_view name) const {
  const fs::path path = file_of(kind, name);
  std::error_code error;
  const bool removed = fs::remove(path, error);
  if (error) throw system_error(path.string(), "remove", error.value());
  if (removed) sync_path(path.parent_path());
  return removed;
}

}  // namespace zeroshelf
