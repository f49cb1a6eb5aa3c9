// Tested by tests/serve.

#include "query/serve/service.h"

#include <chrono>
#include <utility>

namespace zeroshelf::serve {
namespace {

constexpr auto kHouseEvery = std::chrono::seconds(10);

}  // namespace

Service::Service(ServiceOptions given)
    : options(std::move(given)),
      living(options.together != nullptr
                 ? LivingView(options.together)
                 : LivingView(options.collections,
                              [this](const SnapshotPointer& newer) {
                                const std::lock_guard lock(mutex_);
                                if (labeller_) labeller_->forget_others(newer->serial);
                              })),
      truths(living.now()->view),
      thumbnails(options.thumbnails) {
  {
    const std::lock_guard lock(mutex_);
    encoder_ = std::make_unique<WarmEncoder>(living.now(), options.model);
    labeller_ = std::make_unique<Labeller>(*encoder_, gate);
  }
  housekeeper_ = std::thread([this] { keep_house(); });
}

Service::~Service() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  ends_changed_.notify_all();
  housekeeper_.join();
  jobs.end_all();
  if (!options.read_only) encoder_->keep_prompts(living.now()->view);
}

double Service::uptime_seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

std::shared_ptr<const FoundDuplicates> Service::duplicates() const {
  const std::lock_guard lock(mutex_);
  return duplicates_;
}

void Service::keep_duplicates(std::shared_ptr<const FoundDuplicates> found) {
  const std::lock_guard lock(mutex_);
  duplicates_ = std::move(found);
}

// What is written behind the answers' back: prompts that were encoded, and the cache's bound.
void Service::keep_house() {
  thumbnails.tidy();
  uint64_t round = 0;
  std::unique_lock lock(mutex_);
  while (!ends_changed_.wait_for(lock, kHouseEvery, [this] { return ends_; })) {
    lock.unlock();
    if (!options.read_only) encoder_->keep_prompts(living.now()->view);
    if (++round % 30 == 0) thumbnails.tidy();
    lock.lock();
  }
}

}  // namespace zeroshelf::serve
