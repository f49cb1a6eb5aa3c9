// Tested by tests/serve/living_view_test.cc.

#include "query/serve/living_view.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "lib/collection/change_mark.h"
#include "lib/util/error.h"

namespace zeroshelf::serve {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kLookEvery = std::chrono::milliseconds(400);
// While an `add` commits every few seconds, at most a tenth of the time goes into opening.
constexpr int kRestTimes = 9;

}  // namespace

LivingView::LivingView(std::vector<std::filesystem::path> collections,
                       std::function<void(const SnapshotPointer&)> on_change)
    : collections_(std::move(collections)), on_change_(std::move(on_change)), mark_(mark()), now_(open()) {
  thread_ = std::thread([this] { watch(); });
}

LivingView::~LivingView() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  ends_changed_.notify_all();
  thread_.join();
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
  auto snapshot = std::make_shared<Snapshot>(Snapshot{View::open(collections_), {}, 0, ++serials_});
  snapshot->counts = snapshot->view.counts();
  snapshot->generation = snapshot->counts.commits;
  // What is opened when it is first asked for, while its files are there.
  snapshot->view.lexicons();
  for (const View::Part& part : snapshot->view.parts()) part.collection.vector_index();
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
