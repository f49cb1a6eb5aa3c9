// Tested by tests/files/folder_watch_test.cc.

#include "lib/files/folder_watch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>
#include <utility>

#include "lib/util/below.h"

namespace zeroshelf {
namespace {

constexpr uint32_t kWatched = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE |
                              IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR |
                              IN_EXCL_UNLINK;
constexpr const char* kMountTable = "/proc/self/mountinfo";

// A file that has another name already was not created to be written; nor was a link.
bool is_whole(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return true;  // gone again
  return !S_ISREG(status.st_mode) || status.st_nlink > 1;
}

// "\040" is how the table writes a blank.
std::string unescaped(const std::string& text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool octal = text[i] == '\\' && i + 3 < text.size();
    result += octal ? static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                        (text[i + 3] - '0'))
                    : text[i];
    if (octal) i += 3;
  }
  return result;
}

FolderEvent::Kind kind_of(uint32_t mask, const std::string& path) {
  if ((mask & IN_ISDIR) != 0) return FolderEvent::Kind::Changed;
  if ((mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0) return FolderEvent::Kind::Finished;
  if ((mask & IN_CREATE) == 0) return FolderEvent::Kind::Changed;
  return is_whole(path) ? FolderEvent::Kind::Finished : FolderEvent::Kind::Created;
}

Error too_many_folders() {
  return {ErrorCode::Unavailable, "watch",
          "the system watches no more folders (fs.inotify.max_user_watches)",
          "allow more, e.g. sudo sysctl fs.inotify.max_user_watches=1048576, and in /etc/sysctl.d "
          "for good; until then everything is looked at every now and then"};
}

Error no_inotify(int error_number) {
  const bool many = error_number == EMFILE;
  return {ErrorCode::Unavailable, "watch",
          many ? "the system has no more watchers to give (fs.inotify.max_user_instances)"
               : "the system tells nothing of folders: " + errno_text(error_number),
          many ? "allow more, e.g. sudo sysctl fs.inotify.max_user_instances=512, or end programs "
                 "that watch folders; until then everything is looked at every now and then"
               : "everything is looked at every now and then"};
}

}  // namespace

FolderWatch::FolderWatch(std::vector<std::string> roots, size_t most_folders)
    : roots_(std::move(roots)),
      most_folders_(most_folders),
      mount_table_(::open(kMountTable, O_RDONLY | O_CLOEXEC)),
      mounts_(mounts()) {
  open();
}

void FolderWatch::open() {
  inotify_ = Descriptor(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!inotify_.is_open()) trouble_ = no_inotify(errno);
}

void FolderWatch::begin_round() {
  ++round_;
  trouble_.reset();
  if (!inotify_.is_open()) open();
}

void FolderWatch::end_round() {
  std::vector<int> others;
  for (const auto& [number, folder] : folders_)
    if (folder.round != round_) others.push_back(number);
  for (const int number : others) {
    ::inotify_rm_watch(inotify_.get(), number);
    drop(number);
  }
}

// Where another folder has the name by now, that one keeps it.
void FolderWatch::drop(int number) {
  const auto watched = folders_.find(number);
  const auto named = numbers_.find(watched->second.path);
  if (named != numbers_.end() && named->second == number) numbers_.erase(named);
  folders_.erase(watched);
}

void FolderWatch::watch(const std::string& folder) {
  if (!inotify_.is_open()) return;
  const bool is_full = folders_.size() >= most_folders_ && !numbers_.contains(folder);
  const int number =
      is_full ? -1 : ::inotify_add_watch(inotify_.get(), folder.c_str(), kWatched);
  if (number < 0) {
    if (is_full || errno == ENOSPC || errno == ENOMEM) trouble_ = too_many_folders();
    return;
  }
  // The folder had another name, or the name another folder.
  Folder& watched = folders_[number];
  if (const auto old = numbers_.find(watched.path); old != numbers_.end() && old->second == number)
    numbers_.erase(old);
  watched = {folder, round_};
  numbers_[folder] = number;
}

void FolderWatch::forget(const std::string& folder) {
  const auto known = numbers_.find(folder);
  if (known == numbers_.end()) return;
  ::inotify_rm_watch(inotify_.get(), known->second);
  drop(known->second);
}

std::vector<FolderEvent> FolderWatch::wait(std::chrono::milliseconds at_most, int wake) {
  std::array<pollfd, 3> asked = {{{inotify_.get(), POLLIN, 0},
                                  {mount_table_.get(), POLLPRI, 0},
                                  {wake, POLLIN, 0}}};
  const auto limit = std::clamp<int64_t>(at_most.count(), 0, std::numeric_limits<int>::max());
  std::vector<FolderEvent> events;
  if (::poll(asked.data(), asked.size(), static_cast<int>(limit)) <= 0) return events;
  if ((asked[1].revents & (POLLPRI | POLLERR)) != 0) {
    std::string now = mounts();
    if (now != mounts_) events.push_back({FolderEvent::Kind::Lost, ""});
    mounts_ = std::move(now);
  }
  read_events(events);
  return events;
}

void FolderWatch::read_events(std::vector<FolderEvent>& events) {
  if (!inotify_.is_open()) return;
  alignas(inotify_event) std::array<char, 64 * 1024> buffer;
  for (;;) {
    const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (got <= 0) return;  // no more for now
    for (const char* at = buffer.data(); at < buffer.data() + got;) {
      inotify_event event;
      std::memcpy(&event, at, sizeof event);
      take(event.wd, event.mask, event.len > 0 ? at + sizeof event : "", events);
      at += sizeof event + event.len;
    }
  }
}

void FolderWatch::take(int number, uint32_t mask, const char* name,
                       std::vector<FolderEvent>& events) {
  if ((mask & IN_Q_OVERFLOW) != 0) {
    events.push_back({FolderEvent::Kind::Lost, ""});
    return;
  }
  const auto watched = folders_.find(number);
  if (watched == folders_.end()) return;  // forgotten
  const std::string folder = watched->second.path;
  if ((mask & IN_IGNORED) != 0) {  // the folder is gone, or its disk
    drop(number);
    events.push_back({FolderEvent::Kind::Changed, folder});
    return;
  }
  if (name[0] == '.') return;
  if (name[0] == '\0') {  // the folder itself
    events.push_back({FolderEvent::Kind::Changed, folder});
    return;
  }
  std::string path = folder == "/" ? "" : folder;
  (path += '/') += name;
  const FolderEvent::Kind kind = kind_of(mask, path);
  events.push_back({kind, std::move(path)});
}

// The lines of the mount table whose places are at, below or above the roots: numbers and places.
std::string FolderWatch::mounts() const {
  std::ifstream table(kMountTable);
  std::string concerned;
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields(line);
    std::string mount, parent, device, root, place;
    fields >> mount >> parent >> device >> root >> place;
    place = unescaped(place);
    if (std::ranges::any_of(roots_, [&](const std::string& path) {
          return is_below(path, place) || is_below(place, path);
        }))
      ((((concerned += mount) += ' ') += device) += ' ') += place + '\n';
  }
  return concerned;
}

}  // namespace zeroshelf
