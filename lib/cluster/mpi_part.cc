// The only source that knows MPI. Waiting sleeps between looks, a millisecond at the most: MPI's
// own way takes a whole core for it, which on a machine with few of them is another process's.
// Tested by tests/programs/ranks_test.cc.

#include "lib/cluster/mpi_part.h"

#define OMPI_SKIP_MPICXX 1  // its C++ bindings want a library of their own
#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace zeroshelf {
namespace {

constexpr int kTag = 1;
constexpr size_t kMostAtOnce = size_t{1} << 28;  // MPI counts in int

bool finish(MPI_Request request, MpiWait wait) {
  using namespace std::chrono_literals;
  std::chrono::microseconds pause = 1us;
  for (int done = 0;;) {
    if (MPI_Test(&request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) return false;
    if (done != 0) return true;
    if (!wait.go_on(wait.state)) return false;
    if (pause > 20us) std::this_thread::sleep_for(pause);
    pause = std::min<std::chrono::microseconds>(pause * 2, 1000us);
  }
}

bool begin(int* rank, int* size) {
  int provided = 0;
  return MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided) == MPI_SUCCESS &&
         provided >= MPI_THREAD_FUNNELED &&
         MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN) == MPI_SUCCESS &&
         MPI_Comm_rank(MPI_COMM_WORLD, rank) == MPI_SUCCESS &&
         MPI_Comm_size(MPI_COMM_WORLD, size) == MPI_SUCCESS;
}

// begin_some(at, count, request): some of the bytes, from `at` on.
template <class BeginSome>
bool transfer(size_t size, MpiWait wait, const BeginSome& begin_some) {
  for (size_t at = 0; at < size;) {
    const size_t some = std::min(size - at, kMostAtOnce);
    MPI_Request request;
    if (begin_some(at, static_cast<int>(some), &request) != MPI_SUCCESS || !finish(request, wait))
      return false;
    at += some;
  }
  return true;
}

bool send(int to, const void* bytes, size_t size, MpiWait wait) {
  return transfer(size, wait, [&](size_t at, int count, MPI_Request* request) {
    return MPI_Isend(static_cast<const char*>(bytes) + at, count, MPI_BYTE, to, kTag,
                     MPI_COMM_WORLD, request);
  });
}

bool receive(int from, void* bytes, size_t size, MpiWait wait) {
  return transfer(size, wait, [&](size_t at, int count, MPI_Request* request) {
    return MPI_Irecv(static_cast<char*>(bytes) + at, count, MPI_BYTE, from, kTag, MPI_COMM_WORLD,
                     request);
  });
}

void leave() {
  MPI_Request request;
  if (MPI_Ibarrier(MPI_COMM_WORLD, &request) == MPI_SUCCESS)
    finish(request, {[](void*) { return true; }, nullptr});
  MPI_Finalize();
}

void abort_all(int code) {
  MPI_Abort(MPI_COMM_WORLD, code);
}

}  // namespace
}  // namespace zeroshelf

extern "C" __attribute__((visibility("default"))) const zeroshelf::MpiPart zeroshelf_mpi_part = {
    zeroshelf::begin, zeroshelf::send, zeroshelf::receive, zeroshelf::leave, zeroshelf::abort_all};
