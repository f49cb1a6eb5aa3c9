// Tested by tests/util/deadline_test.cc.

#include "lib/util/deadline.h"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

namespace zeroshelf {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMostThreads = 64;

enum class Stage { Waiting, Begun, Ended };

// Shared by the caller and the threads that it may leave behind.
struct Shared {
  explicit Shared(const std::vector<std::function<void()>>& all)
      : bodies(all), stages(all.size()), begun(all.size()) {}

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::function<void()>> bodies;
  std::vector<Stage> stages;
  std::vector<Clock::time_point> begun;
  size_t next = 0;
  bool closed = false;  // nothing more is begun

  void work() {
    for (std::unique_lock lock(mutex); next < bodies.size() && !closed;) {
      const size_t mine = next++;
      stages[mine] = Stage::Begun;
      begun[mine] = Clock::now();
      lock.unlock();
      bodies[mine]();
      bodies[mine] = nullptr;  // what it owns is the caller's alone again
      lock.lock();
      stages[mine] = Stage::Ended;
      changed.notify_all();
    }
  }

  // When the last of those that have begun is out of time; nothing: none has begun that has not ended.
  std::optional<Clock::time_point> patience(std::chrono::nanoseconds deadline) const {
    std::optional<Clock::time_point> end;
    for (size_t i = 0; i < stages.size(); ++i) {
      if (stages[i] == Stage::Begun) end = std::max(end.value_or(begun[i]), begun[i]);
    }
    return end ? std::optional(*end + deadline) : std::nullopt;
  }
  bool are_all_ended() const {
    return std::ranges::all_of(stages, [](Stage stage) { return stage == Stage::Ended; });
  }
};

}  // namespace

std::vector<bool> ended_in_time(const std::vector<std::function<void()>>& bodies,
                                std::chrono::nanoseconds deadline) {
  const auto shared = std::make_shared<Shared>(bodies);
  std::vector<std::thread> threads;
  try {
    while (threads.size() < std::min(bodies.size(), kMostThreads))
      threads.emplace_back([shared] { shared->work(); });
  } catch (const std::system_error&) {
    if (threads.empty()) shared->work();  // then without a deadline
  }
  std::unique_lock lock(shared->mutex);
  const auto start = Clock::now();
  while (!shared->are_all_ended()) {
    const Clock::time_point end = shared->patience(deadline).value_or(start + deadline);
    if (Clock::now() >= end) break;
    shared->changed.wait_until(lock, end);
  }
  shared->closed = true;
  std::vector<bool> ended;
  for (const Stage stage : shared->stages) ended.push_back(stage == Stage::Ended);
  const bool all_ended = shared->are_all_ended();
  lock.unlock();
  for (std::thread& thread : threads) all_ended ? thread.join() : thread.detach();
  return ended;
}

}  // namespace zeroshelf
