// Tested by tests/ingest/watcher_test.cc.

#include "lib/ingest/watcher.h"

#include <poll.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

namespace zeroshelf {
namespace {

using std::chrono::milliseconds;

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool is_there(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

// Lets more events gather, so that a flood of them is read in pieces.
void pause(int wake) {
  constexpr int kMilliseconds = 50;
  pollfd asked{wake, POLLIN, 0};
  ::poll(&asked, 1, kMilliseconds);
}

}  // namespace

Watcher::Watcher(std::vector<std::string> roots, WatcherOptions options)
    : roots_(std::move(roots)),
      options_(options),
      folders_(roots_, options.most_folders),
      pending_(options.quiet, Clock::now()) {}

void Watcher::prepare(SyncOptions& sync) {
  sync.find.on_folder = [this](FolderStep step, const std::string& folder) {
    last_found_ = Clock::now();
    step == FolderStep::Entered ? folders_.watch(folder) : folders_.forget(folder);
  };
  sync.is_being_written = [this](const FoundFile& file) {
    last_found_ = Clock::now();
    return pending_.is_being_written(file, now_ns());
  };
}

void Watcher::run(const std::function<Look()>& look, int wake, const std::atomic<bool>& stop) {
  if (!stop) look_once(look);
  while (!stop) {
    wait(wake);
    if (!stop && Clock::now() >= due()) look_once(look);
  }
}

void Watcher::look_once(const std::function<Look()>& look) {
  const Clock::time_point start = Clock::now();
  last_found_ = start;
  pending_.begin_look();
  folders_.begin_round();
  watch_files_folders();
  const Look result = look();
  const Clock::time_point end = Clock::now();
  pending_.end_look(end, last_found_ - start);
  if (result == Look::Failed) {
    pending_.try_again(end, options_.try_again);
  } else {
    folders_.end_round();
  }
  absent_ = absent_roots();
}

Watcher::Clock::time_point Watcher::due() const {
  const milliseconds every = options_.quiet.every;
  return pending_.due(folders_.trouble() ? std::min(options_.blind_every, every) : every);
}

void Watcher::wait(int wake) {
  const auto left = std::max(Clock::duration::zero(), due() - Clock::now());
  auto patience = std::chrono::ceil<milliseconds>(left);
  if (!absent_.empty()) patience = std::min(patience, options_.absent_every);
  const std::vector<FolderEvent> events = folders_.wait(patience, wake);
  for (const FolderEvent& event : events) pending_.note(event, Clock::now());
  if (std::ranges::any_of(absent_, is_there)) {
    absent_.clear();
    pending_.note({FolderEvent::Kind::Lost, ""}, Clock::now());
  }
  if (!events.empty()) pause(wake);
}

// Files that are roots themselves: the walk enters no folder for them.
void Watcher::watch_files_folders() {
  for (const std::string& root : roots_) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(root, ignored))
      folders_.watch(std::filesystem::path(root).parent_path().string());
  }
}

std::vector<std::string> Watcher::absent_roots() const {
  std::vector<std::string> absent;
  std::ranges::copy_if(roots_, std::back_inserter(absent),
                       [](const std::string& root) { return !is_there(root); });
  return absent;
}

}  // namespace zeroshelf
