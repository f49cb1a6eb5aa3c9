#pragma once

namespace zeroshelf {

// While one lives, its thread is inside a library that does not survive std::bad_alloc: locks would
// stay held, and what is half made would be taken apart as if it were whole. A program installs a
// new-handler that asks here() and ends the process there instead of throwing (lib/program does);
// without such a handler nothing changes. What is on disk must be safe from an end at any instant.
class NoUnwinding {
 public:
  NoUnwinding() { ++depth_; }
  ~NoUnwinding() { --depth_; }
  NoUnwinding(const NoUnwinding&) = delete;
  NoUnwinding& operator=(const NoUnwinding&) = delete;

  static bool here() { return depth_ > 0; }

 private:
  static inline thread_local int depth_ = 0;
};

}  // namespace zeroshelf
