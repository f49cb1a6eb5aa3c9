#pragma once

// Inside models/clip: the memory in which one thread computes a network, kept from call to call.

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "models/compute/packed_linear.h"

namespace zeroshelf {

struct Workspace {
  std::vector<float> patch;  // one
  OperandBuffer patches;
  AlignedBuffer embedded;
  AlignedBuffer stream;      // [rows, width], float: the residual stream
  AlignedBuffer chosen;      // [sequences, width], float: that of the tokens that are the answer
  OperandBuffer normalised;  // [rows, width]
  OperandBuffer parts;       // [rows, 3 width]: queries, keys and values
  OperandBuffer mixed;       // [rows, width]: what attention gives
  OperandBuffer hidden;      // [rows, MLP width]
  AlignedBuffer wide;        // [rows, 3 width or MLP width], float: what is normed within a block
  AlignedBuffer attention;
};

// Workspaces are as many as there ever were threads at a time.
class Workspaces {
 public:
  class Lease {
   public:
    explicit Lease(Workspaces& owner) : owner_(owner), space_(owner.take()) {}
    ~Lease() { owner_.give(std::move(space_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Workspace& operator*() { return *space_; }

   private:
    Workspaces& owner_;
    std::unique_ptr<Workspace> space_;
  };

 private:
  std::unique_ptr<Workspace> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<Workspace>();
    auto space = std::move(free_.back());
    free_.pop_back();
    return space;
  }

  void give(std::unique_ptr<Workspace> space) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(space));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> free_;
};

}  // namespace zeroshelf
