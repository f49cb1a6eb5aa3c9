// Tested by tests/serve/living_view_test.cc.

#include "query/serve/living_view.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "lib/collection/change_mark.h"
#include "lib/collection/open_view.h"
#include "lib/util/bytes.h"
#include "lib/util/error.h"

namespace zeroshelf::serve {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kLookEvery = std::chrono::milliseconds(400);
// While an `add` commits every few seconds, at most a tenth of the time goes into opening.
constexpr int kRestTimes = 9;

std::shared_ptr<Snapshot> snapshot_of(View view, uint64_t serial) {
  auto snapshot = std::make_shared<Snapshot>(Snapshot{std::move(view), {}, 0, serial});
  const View& own = snapshot->view;
  snapshot->counts = own.counts();
  for (const View::Part& part : own.parts()) {
    snapshot->parts.push_back(
        {part.collection.directory(), part.collection.image_sum().count(), part.first_row});
  }
  snapshot->rows = own.rows();
  // What is opened when it is first asked for, while its files are there.
  own.lexicons();
  for (const View::Part& part : own.parts()) part.collection.vector_index();
  return snapshot;
}

std::string bytes_of(const Snapshot& own) {
  ByteWriter out;
  out.number(own.rows);
  for (const PartFacts& part : own.parts) {
    out.text(part.directory.string());
    out.number(part.pictures);
    out.number(part.first_row);
  }
  return std::move(out).bytes();
}

// From those of each process to those of all.
void join(Snapshot& snapshot, Ranks& ranks) {
  const std::vector<std::string> all = ranks.exchange(bytes_of(snapshot));
  snapshot.parts.clear();
  snapshot.rows = 0;
  for (size_t rank = 0; rank < all.size(); ++rank) {
    ByteReader in(all[rank], kRanksMessage);
    const Row first_row = snapshot.rows;
    snapshot.rows += in.number<uint64_t>();
    snapshot.first_rows.push_back(first_row);
    while (in.left() > 0) {
      PartFacts part;
      part.directory = in.text();
      part.pictures = in.number<uint64_t>();
      part.first_row = first_row + in.number<Row>();
      snapshot.parts.push_back(std::move(part));
    }
  }
  snapshot.first_row = snapshot.first_rows[ranks.rank()];
  auto& [pictures, with_text, tombstones, skips, commits, disk_bytes] = snapshot.counts;
  uint64_t* const counts[] = {&pictures, &with_text, &tombstones, &skips, &commits, &disk_bytes};
  for (uint64_t* count : counts) ranks.add_up(std::span(count, 1));
}

}  // namespace

SnapshotPointer open_together(std::span<const std::filesystem::path> collections, Ranks& ranks) {
  OpenedView opened = open_view(collections, OpenOptions{.ranks = &ranks});
  std::shared_ptr<Snapshot> snapshot;
  ranks.agree_after([&] { snapshot = snapshot_of(std::move(opened.view), 1); });
  join(*snapshot, ranks);
  snapshot->generation = snapshot->counts.commits;
  return snapshot;
}

LivingView::LivingView(std::vector<std::filesystem::path> collections,
                       std::function<void(const SnapshotPointer&)> on_change)
    : collections_(std::move(collections)), on_change_(std::move(on_change)), mark_(mark()), now_(open()) {
  thread_ = std::thread([this] { watch(); });
}

LivingView::LivingView(SnapshotPointer only) : now_(std::move(only)) {}

LivingView::~LivingView() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  ends_changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

SnapshotPointer LivingView::now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

std::string LivingView::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

std::string LivingView::mark() const {
  std::string all;
  for (const std::filesystem::path& collection : collections_) all += change_mark(collection) + '\n';
  return all;
}

SnapshotPointer LivingView::open() {
  auto snapshot = snapshot_of(View::open(collections_), ++serials_);
  snapshot->generation = snapshot->counts.commits;
  return snapshot;
}

void LivingView::refresh() {
  look();
}

void LivingView::look() {
  const std::lock_guard looking(look_mutex_);
  // Before it is opened: what is committed meanwhile is found by the next look.
  std::string mark_now = mark();
  if (mark_now == mark_) {  // also again, after what there was in between could not be opened
    const std::lock_guard lock(mutex_);
    trouble_.clear();
    return;
  }
  try {
    SnapshotPointer newer = open();
    mark_ = std::move(mark_now);
    {
      const std::lock_guard lock(mutex_);
      trouble_.clear();
      now_ = newer;
    }
    on_change_(newer);
  } catch (const Error& error) {  // e.g. while it is moved; the old state goes on
    const std::lock_guard lock(mutex_);
    trouble_ = error.what();
  }
}

void LivingView::watch() {
  auto rest = std::chrono::duration_cast<Clock::duration>(kLookEvery);
  std::unique_lock lock(mutex_);
  while (!ends_changed_.wait_for(lock, rest, [this] { return ends_; })) {
    lock.unlock();
    const auto start = Clock::now();
    look();
    rest = std::max<Clock::duration>(kLookEvery, kRestTimes * (Clock::now() - start));
    lock.lock();
  }
}

}  // namespace zeroshelf::serve
