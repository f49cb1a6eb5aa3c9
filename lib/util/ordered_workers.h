#pragma once

// Threads that work ahead on a stream of inputs while the results come out in the order of the
// inputs. The window between pushed and popped bounds the memory: the caller pops when full().
// Tested by tests/util/parallel_test.cc.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "lib/util/parallel.h"

namespace zeroshelf {

// Threads: push, pop, full and empty belong to one thread.
template <class Input, class Output>
class OrderedWorkers {
 public:
  using Work = std::function<Output(Input)>;

  // One thread for each element of workers, of which there is one at least; only that thread calls
  // it, so it may hold state. At most window inputs are on their way. Where threads cannot be
  // started, fewer work, or the caller's own in pop().
  OrderedWorkers(std::vector<Work> workers, size_t window)
      : window_(window), workers_(std::move(workers)) {
    for (const Work& work : workers_) bodies_.emplace_back([this, &work] { serve(work); });
    threads_ = start_threads(bodies_);
  }

  // Waits for the inputs being worked on; those not begun yet are dropped.
  ~OrderedWorkers() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
      jobs_.clear();
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  OrderedWorkers(const OrderedWorkers&) = delete;
  OrderedWorkers& operator=(const OrderedWorkers&) = delete;

  bool full() const { return results_.size() >= window_; }
  bool empty() const { return results_.empty(); }

  void push(Input input) {
    Job job{std::move(input), {}};
    results_.push_back(job.result.get_future());
    {
      const std::lock_guard lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    wake_.notify_one();
  }

  // The result for the oldest input; waits for it. Throws what the work threw. Not when empty().
  Output pop() {
    std::future<Output> result = std::move(results_.front());
    results_.pop_front();
    if (threads_.empty()) do_next(workers_.front(), std::unique_lock(mutex_));
    return result.get();
  }

 private:
  struct Job {
    Input input;
    std::promise<Output> result;
  };

  void serve(const Work& work) {
    for (;;) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return closing_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      do_next(work, std::move(lock));
    }
  }

  void do_next(const Work& work, std::unique_lock<std::mutex> lock) {
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    try {
      job.result.set_value(work(std::move(job.input)));
    } catch (...) {
      job.result.set_exception(std::current_exception());
    }
  }

  const size_t window_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool closing_ = false;
  std::deque<std::future<Output>> results_;
  const std::vector<Work> workers_;
  std::vector<std::function<void()>> bodies_;
  std::vector<std::thread> threads_;
};

}  // namespace zeroshelf
