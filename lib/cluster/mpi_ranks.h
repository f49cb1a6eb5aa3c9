#pragma once

// The processes that a launcher started, by MPI, which is loaded here and nowhere else.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "lib/cluster/launch.h"
#include "lib/cluster/mpi_part.h"
#include "lib/util/ranks.h"

namespace zeroshelf {

// Threads: one at a time, always the same. Once in a process.
class MpiRanks : public Ranks {
 public:
  // deadline: how long another process may keep this one waiting, when it sends or receives; absent:
  // for ever. Throws Unavailable where MPI cannot be loaded, does not begin, or counts other processes
  // than the launcher said.
  explicit MpiRanks(const Launch& launch, std::optional<std::chrono::nanoseconds> deadline = {});
  // Waits for all others to come here.
  ~MpiRanks() override;
  MpiRanks(const MpiRanks&) = delete;
  MpiRanks& operator=(const MpiRanks&) = delete;

  size_t rank() const override { return rank_; }
  size_t size() const override { return size_; }
  void send(size_t to, std::string_view bytes) override;
  std::string receive(size_t from) override;

  // Ends all processes with that exit code, in the middle of whatever they do.
  [[noreturn]] void abort(int code) noexcept;

 private:
  template <class Transfer>
  void wait_for(size_t other, const Transfer& transfer);

  const MpiPart& part_;
  std::optional<std::chrono::nanoseconds> deadline_;
  size_t rank_ = 0;
  size_t size_ = 1;
};

}  // namespace zeroshelf
