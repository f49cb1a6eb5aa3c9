#pragma once

// The collections that are asked, as they are now: when somebody has committed something, a thread
// opens them anew beside the old state, and the next request gets the new one. Requests that run
// keep theirs.

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "lib/collection/view.h"

namespace zeroshelf::serve {

// One committed state.
struct Snapshot {
  View view;
  CollectionCounts counts;  // as they were when it was opened
  uint64_t generation = 0;  // of the collections' commits, added up
  uint64_t serial = 0;      // no other one of this process has it
};
using SnapshotPointer = std::shared_ptr<const Snapshot>;

// Threads: any.
class LivingView {
 public:
  // Opens them; throws what View::open throws. on_change is called from the thread after a newer
  // state has taken the place of the old one.
  LivingView(std::vector<std::filesystem::path> collections,
             std::function<void(const SnapshotPointer&)> on_change);
  ~LivingView();
  LivingView(const LivingView&) = delete;
  LivingView& operator=(const LivingView&) = delete;

  SnapshotPointer now() const;
  // Looks at once, and returns when a state that was committed before the call is there.
  void refresh();
  // Why the last look did not lead to a newer state though there may be one; empty: it did.
  std::string trouble() const;

 private:
  void watch();
  void look();
  std::string mark() const;
  SnapshotPointer open();

  std::vector<std::filesystem::path> collections_;
  std::function<void(const SnapshotPointer&)> on_change_;
  std::mutex look_mutex_;  // one looks at a time
  uint64_t serials_ = 0;   // with it
  std::string mark_;       // with it
  mutable std::mutex mutex_;
  std::condition_variable ends_changed_;
  SnapshotPointer now_;
  std::string trouble_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace zeroshelf::serve
