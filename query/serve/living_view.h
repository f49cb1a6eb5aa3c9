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
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "lib/collection/path_order.h"
#include "lib/collection/view.h"
#include "lib/util/ranks.h"

namespace zeroshelf::serve {

// A collection of those that are asked.
struct PartFacts {
  std::filesystem::path directory;
  uint64_t pictures = 0;
  Row first_row = 0;
};

// One committed state. Where several processes answer together (chorus.h), each has a view of its
// own parts, and all else is of all parts: rows that clients see are numbered through them.
struct Snapshot {
  View view;
  CollectionCounts counts;  // as they were when it was opened
  uint64_t generation = 0;  // of the collections' commits, added up
  uint64_t serial = 0;      // no other one of this process has it
  std::vector<PartFacts> parts = {};
  uint64_t rows = 0;
  Row first_row = 0;                 // that of the view's row 0
  std::vector<Row> first_rows = {};  // of each of several processes

  bool has(Row row) const { return row >= first_row && row - first_row < view.rows(); }

  // What is equal otherwise goes by path, in whatever parts it lies. Of the view's rows.
  const PathOrder& by_path() const {
    std::call_once(order->made, [this] { order->by_path.emplace(view); });
    return *order->by_path;
  }
  struct Order {
    std::once_flag made;
    std::optional<PathOrder> by_path;
  };
  std::shared_ptr<Order> order = std::make_shared<Order>();  // see by_path()
};
using SnapshotPointer = std::shared_ptr<const Snapshot>;

// Each of several processes opens its share of the collections. All call it together; it throws
// what open_view throws.
SnapshotPointer open_together(std::span<const std::filesystem::path> collections, Ranks& ranks);

// Threads: any.
class LivingView {
 public:
  // Opens them; throws what View::open throws. on_change is called from the thread after a newer
  // state has taken the place of the old one.
  LivingView(std::vector<std::filesystem::path> collections,
             std::function<void(const SnapshotPointer&)> on_change);
  // One state for good.
  explicit LivingView(SnapshotPointer only);
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
