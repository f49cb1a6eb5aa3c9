// Tested by tests/export/open_folder_test.cc.

#include "lib/export/open_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string_view>
#include <system_error>

#include "lib/export/exported_files.h"
#include "lib/export/keyword_journal.h"
#include "lib/export/move_journal.h"
#include "lib/util/error.h"
#include "lib/util/file.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFolderMode = 0775;  // and what the user's umask takes away
constexpr int kEnter = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

Error refusal(const fs::path& shown, const std::string& cause, const std::string& cure) {
  return {ErrorCode::InvalidArgument, shown.string(), cause, cure};
}

Error open_for_all(const fs::path& shown, mode_t mode) {
  return refusal(
      shown, fmt::format("every user of this machine may write to it (mode {:o})", mode & 07777),
      "name a new folder, or take that right away: chmod o-w");
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

bool is_empty(const fs::path& path, const fs::path& shown) {
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
  if (directory == nullptr) throw system_error(shown.string(), "read the folder", errno);
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") return false;
  }
  return true;
}

// Debian gives each user a group of the same name, with nobody else in it.
bool is_private_group(gid_t group) {
  const struct group* of_group = ::getgrgid(group);
  if (of_group == nullptr || of_group->gr_mem[0] != nullptr) return false;
  const std::string name = of_group->gr_name;  // what the next call may overwrite
  const struct passwd* user = ::getpwnam(name.c_str());
  return user != nullptr && user->pw_gid == group &&
         (user->pw_uid == ::geteuid() || user->pw_uid == 0);
}

std::string group_name(gid_t group) {
  const struct group* of_group = ::getgrgid(group);
  return of_group != nullptr ? of_group->gr_name : std::to_string(group);
}

bool is_trusted_owner(uid_t owner) {
  return owner == ::geteuid() || owner == 0;
}

}  // namespace

void check_export_folder(const fs::path& folder) {
  const fs::path path = absolute_path(folder);
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return;
    throw system_error(folder.string(), "look at it", errno);
  }
  if (S_ISLNK(status.st_mode))
    throw refusal(folder, "a link, which is not followed", "name the folder itself, or a new one");
  if (!S_ISDIR(status.st_mode)) throw refusal(folder, "not a folder", "name a new folder");
  if (!is_empty(path, folder)) {
    std::error_code error;
    const auto has = [&](const char* name) {
      return fs::exists(fs::symlink_status(path / name, error));
    };
    if (has(kMoveJournalName)) {
      throw refusal(folder, "the folder is not empty",
                    "zeroshelf-query undo puts back what was moved there, or name a new folder");
    }
    if (has(kKeywordJournalName)) {
      throw refusal(folder, "the folder is not empty",
                    "zeroshelf-query undo takes the keywords back, or name a new folder");
    }
    const bool cut_short = has(kUnfinishedManifestName);
    throw refusal(folder,
                  cut_short ? "an export into it was cut short" : "the folder is not empty",
                  cut_short ? "remove it and try again, or name a new folder"
                            : "an export never overwrites: name a new folder");
  }
  if ((status.st_mode & S_IWOTH) != 0) throw open_for_all(folder, status.st_mode);
}

Descriptor open_export_folder(const fs::path& folder) {
  check_export_folder(folder);
  const fs::path path = absolute_path(folder);
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) throw system_error(folder.string(), "make the folder", error.value());
  if (::mkdir(path.c_str(), kFolderMode) != 0 && errno != EEXIST)
    throw system_error(folder.string(), "make the folder", errno);
  return enter_folder(path, folder);
}

std::string exposure_of(const fs::path& folder) {
  const fs::path path = absolute_path(folder);
  struct stat own {};
  struct stat parent {};
  if (::lstat(path.c_str(), &own) != 0 || ::stat(path.parent_path().c_str(), &parent) != 0)
    return {};
  // New, in a file system without rights of its own.
  if ((own.st_mode & S_IWOTH) != 0) return "every user may write to it";
  if (!is_trusted_owner(own.st_uid)) return fmt::format("it is another user's ({})", own.st_uid);
  if ((own.st_mode & S_IWGRP) != 0 && !is_private_group(own.st_gid))
    return fmt::format("its group may write to it ({})", group_name(own.st_gid));
  if (!is_trusted_owner(parent.st_uid))
    return fmt::format("the folder that it is in is another user's ({})", parent.st_uid);
  if ((parent.st_mode & S_IWOTH) != 0 && (parent.st_mode & S_ISVTX) == 0)
    return "every user may write to the folder that it is in";
  return {};
}

Descriptor enter_folder(const Place& place, const fs::path& shown) {
  Descriptor folder(::openat(place.folder, place.name.c_str(), kEnter));
  if (folder.is_open()) return folder;
  if (errno == ELOOP || errno == ENOTDIR) {
    throw refusal(shown, "a link or a file is in the place of the folder; it is not followed",
                  "look at who put it there");
  }
  throw system_error(shown.string(), "open the folder", errno);
}

Descriptor make_folder(const Place& place, const fs::path& shown) {
  const bool is_new = ::mkdirat(place.folder, place.name.c_str(), kFolderMode) == 0;
  if (!is_new && errno != EEXIST) throw system_error(shown.string(), "make the folder", errno);
  Descriptor folder = enter_folder(place, shown);
  struct stat status {};
  struct stat above {};
  if (::fstat(folder.get(), &status) != 0 || ::fstat(place.folder, &above) != 0)
    throw system_error(shown.string(), "read", errno);
  // Some file systems have one owner for all, and no rights.
  const bool is_own = status.st_uid == ::geteuid() || status.st_uid == above.st_uid;
  if (!is_own || (!is_new && (status.st_mode & S_IWOTH) != 0))
    throw refusal(shown, "somebody else put a folder there", "look at who did");
  return folder;
}

void sync_folder(const Descriptor& folder, const fs::path& shown) {
  if (const int error = sync_open_folder(folder.get()))
    throw system_error(shown.string(), "sync", error);
}

}  // namespace zeroshelf
