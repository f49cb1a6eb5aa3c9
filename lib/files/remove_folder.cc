// Tested by tests/files/remove_folder_test.cc, and on disks of programs by
// tests/programs/other_disks_test.sh.

#include "lib/files/remove_folder.h"

#include <dirent.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <string_view>
#include <thread>

namespace zeroshelf {

namespace {

bool is_removed_already(std::string_view name) {
  return name.starts_with(".fuse_hidden") || name.starts_with(".nfs");
}

// Whether all that is in it was removed before.
bool holds_only_removed(const Place& folder) {
  const int file =
      ::openat(folder.folder, folder.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0) return false;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(file), ::closedir);
  if (listing == nullptr) {
    ::close(file);
    return false;
  }
  while (const dirent* entry = ::readdir(listing.get())) {
    const std::string_view name(entry->d_name);
    if (name != "." && name != ".." && !is_removed_already(name)) return false;
  }
  return true;
}

}  // namespace

int remove_folder(const Place& folder) {
  using std::chrono::milliseconds;
  constexpr milliseconds kLongest(2000);
  constexpr milliseconds kStep(20);
  for (milliseconds waited(0);; waited += kStep) {
    if (::unlinkat(folder.folder, folder.name.c_str(), AT_REMOVEDIR) == 0) return 0;
    const int error_number = errno;
    const bool is_full = error_number == ENOTEMPTY || error_number == EEXIST;
    if (!is_full || waited >= kLongest || !holds_only_removed(folder)) return error_number;
    std::this_thread::sleep_for(kStep);
  }
}

}  // namespace zeroshelf
