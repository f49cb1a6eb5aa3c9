// Loads the part that knows MPI, and bounds how long others are waited for. Tested by
// tests/programs/ranks_test.cc.

#include "lib/cluster/mpi_ranks.h"

#include <fmt/format.h>
#include <unistd.h>

#include "lib/util/error.h"
#include "lib/util/loaded_part.h"

namespace zeroshelf {
namespace {

using Clock = std::chrono::steady_clock;

// Open MPI's own plugins look for its symbols among those of the program.
const MpiPart& load() {
  return *static_cast<const MpiPart*>(load_part(
      {.name = "MPI",
       .file = ZEROSHELF_PART,
       .build_folder = ZEROSHELF_BUILD_FOLDER,
       .symbol = kMpiPartSymbol,
       .is_global = true,
       .cure = "install the package libzeroshelf-mpi or a zeroshelf that was built with "
               "libopenmpi-dev, or start one process"}));
}

}  // namespace

MpiRanks::MpiRanks(const Launch& launch, std::optional<std::chrono::nanoseconds> deadline)
    : part_(load()), deadline_(deadline) {
  int rank = 0;
  int size = 0;
  if (!part_.begin(&rank, &size))
    throw Error(ErrorCode::Unavailable, "MPI", "it does not begin", "");
  rank_ = static_cast<size_t>(rank);
  size_ = static_cast<size_t>(size);
  if (rank_ == launch.rank && size_ == launch.size) return;
  throw Error(ErrorCode::Unavailable, "MPI",
              fmt::format("this is process {} of {} by MPI, and {} of {} by the launcher", rank_,
                          size_, launch.rank, launch.size),
              "start it with the mpirun of Open MPI, or with srun --mpi=pmix");
}

MpiRanks::~MpiRanks() {
  part_.leave();
}

template <class Transfer>
void MpiRanks::wait_for(size_t other, const Transfer& transfer) {
  struct Patience {
    std::optional<Clock::time_point> end;
  } patience{deadline_ ? std::optional(Clock::now() + *deadline_) : std::nullopt};
  const MpiWait wait{[](void* state) {
                       const auto& end = static_cast<Patience*>(state)->end;
                       return !end || Clock::now() < *end;
                     },
                     &patience};
  if (transfer(static_cast<int>(other), wait)) return;
  const bool late = patience.end && Clock::now() >= *patience.end;
  throw Error(ErrorCode::Unavailable, name_of(other),
              late ? fmt::format("has not answered for {:.3g} s",
                                 std::chrono::duration<double>(*deadline_).count())
                   : "cannot be reached",
              late ? "look at its machine and at the file system of its parts, or raise --deadline"
                   : "look at its machine");
}

void MpiRanks::send(size_t to, std::string_view bytes) {
  const uint64_t size = bytes.size();
  wait_for(to, [&](int other, MpiWait wait) {
    return part_.send(other, &size, sizeof size, wait) &&
           part_.send(other, bytes.data(), bytes.size(), wait);
  });
}

std::string MpiRanks::receive(size_t from) {
  std::string bytes;
  wait_for(from, [&](int other, MpiWait wait) {
    uint64_t size = 0;
    if (!part_.receive(other, &size, sizeof size, wait)) return false;
    bytes.resize(size);
    return part_.receive(other, bytes.data(), bytes.size(), wait);
  });
  return bytes;
}

void MpiRanks::abort(int code) noexcept {
  part_.abort(code);
  ::_exit(code);
}

}  // namespace zeroshelf
