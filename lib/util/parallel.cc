// Tested by tests/util/parallel_test.cc.

#include "lib/util/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace zeroshelf {

unsigned available_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
  }
  return std::max(1u, std::thread::hardware_concurrency());
}

void parallel_chunks(size_t count, size_t chunk_size, unsigned threads,
                     const std::function<void(size_t begin, size_t end)>& body) {
  std::atomic<size_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_mutex;
  const auto work = [&] {
    try {
      for (size_t begin; (begin = next.fetch_add(chunk_size)) < count;) {
        body(begin, std::min(begin + chunk_size, count));
      }
    } catch (...) {
      next = count;
      const std::lock_guard lock(failure_mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  const size_t chunks = (count + chunk_size - 1) / chunk_size;
  const size_t wanted = std::min<size_t>(threads == 0 ? available_cores() : threads, chunks);
  std::vector<std::thread> helpers;
  for (size_t i = 1; i < wanted; ++i) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace zeroshelf
