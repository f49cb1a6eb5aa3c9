#pragma once

// How much memory pictures may take while they are read, together.

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <set>

namespace zeroshelf {

// Threads: any.
class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t bytes) : limit_(bytes) {}

  // One file's part. Files that began earlier have precedence: the earliest one in flight always
  // gets what it asks for, so a picture larger than the whole budget is read, alone, and no two
  // files wait for each other.
  class Lease {
   public:
    // order: smaller is earlier; no two leases at a time have the same.
    Lease(MemoryBudget& budget, uint64_t order) : budget_(budget), order_(order) {
      const std::lock_guard lock(budget_.mutex_);
      budget_.orders_.insert(order_);
    }
    ~Lease() {
      {
        const std::lock_guard lock(budget_.mutex_);
        budget_.used_ -= held_;
        budget_.orders_.erase(order_);
      }
      budget_.freed_.notify_all();
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    // Raises what this lease holds to `bytes`; waits until there is room.
    void raise(uint64_t bytes) {
      std::unique_lock lock(budget_.mutex_);
      if (bytes <= held_) return;
      const uint64_t more = bytes - held_;
      budget_.freed_.wait(lock, [&] {
        return budget_.used_ + more <= budget_.limit_ || *budget_.orders_.begin() == order_;
      });
      budget_.used_ += more;
      held_ = bytes;
    }

   private:
    MemoryBudget& budget_;
    uint64_t order_;
    uint64_t held_ = 0;
  };

 private:
  const uint64_t limit_;
  std::mutex mutex_;
  std::condition_variable freed_;
  uint64_t used_ = 0;
  std::set<uint64_t> orders_;
};

}  // namespace zeroshelf
