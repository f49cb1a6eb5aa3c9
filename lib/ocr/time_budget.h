#pragma once

// Inside lib/ocr: how long one picture may be read.
//
// What counts is the processor time of the thread that made the budget, not the time that went by:
// a machine that is busy or was asleep reads the same words as an idle one.

#include <chrono>
#include <ctime>
#include <exception>

namespace zeroshelf {

// Thrown when a budget is spent before the reading is done.
class TimeIsUp : public std::exception {
 public:
  const char* what() const noexcept override { return "the time for one picture is up"; }
};

// Threads: it belongs to the one that made it.
class TimeBudget {
 public:
  explicit TimeBudget(std::chrono::milliseconds time) : end_(spent() + time) {}

  bool is_up() const { return spent() >= end_; }
  void check() const {
    if (is_up()) throw TimeIsUp();
  }

 private:
  static std::chrono::nanoseconds spent() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }

  std::chrono::nanoseconds end_;
};

}  // namespace zeroshelf
