#pragma once

// Keeps a collection up to date with its folders: looks at once, and again whenever the system told
// that something happened there.
//
// What a look does is the caller's: a sync of the roots, with what prepare() puts into its options.
// Each look is of everything, as `add` does it, so the rules of sync.h hold for whatever happened
// (what is gone, moved, not mounted), and what was not told is found by the next look. Between two
// looks nothing is open but the watches.
//
// Threads: one at a time; stop may be set from anywhere, a signal handler too.

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "lib/files/folder_watch.h"
#include "lib/ingest/pending_changes.h"
#include "lib/ingest/sync.h"

namespace zeroshelf {

struct WatcherOptions {
  QuietOptions quiet;
  // While not all folders can be watched, a look at least so often.
  std::chrono::milliseconds blind_every{60'000};
  std::chrono::milliseconds absent_every{5'000};  // whether a root that is gone is back
  std::chrono::milliseconds try_again{30'000};    // after a look that failed
  size_t most_folders = SIZE_MAX;                 // see FolderWatch
};

class Watcher {
 public:
  enum class Look { Done, Failed };

  // roots: absolute.
  Watcher(std::vector<std::string> roots, WatcherOptions options);

  // To be called by a look for its sync's options; they are used while the look goes on.
  void prepare(SyncOptions& sync);

  // Looks and waits until stop is true; wake can be read then. Throws what look throws.
  void run(const std::function<Look()>& look, int wake, const std::atomic<bool>& stop);

  const FolderWatch& folders() const { return folders_; }

 private:
  using Clock = PendingChanges::Clock;

  void look_once(const std::function<Look()>& look);
  Clock::time_point due() const;
  void wait(int wake);
  void watch_files_folders();
  std::vector<std::string> absent_roots() const;

  std::vector<std::string> roots_;
  WatcherOptions options_;
  FolderWatch folders_;
  PendingChanges pending_;
  std::vector<std::string> absent_;  // roots, at the last look
  Clock::time_point last_found_{};  // when the look that goes on came to its last file or folder
};

}  // namespace zeroshelf
