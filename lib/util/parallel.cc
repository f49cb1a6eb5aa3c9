// Tested by tests/util/parallel_test.cc.

#include "lib/util/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <new>
#include <system_error>

#include "lib/util/cgroup.h"

namespace zeroshelf {

unsigned available_cores() {
  static const unsigned allowed = [] {
    const auto cores = cgroup_limits().cores;
    return cores ? static_cast<unsigned>(std::clamp(std::ceil(*cores), 1.0, 65'536.0)) : ~0u;
  }();
  cpu_set_t set;
  const unsigned cores = sched_getaffinity(0, sizeof set, &set) == 0
                             ? static_cast<unsigned>(CPU_COUNT(&set))
                             : std::thread::hardware_concurrency();
  return std::clamp(cores, 1u, allowed);
}

std::vector<std::thread> start_threads(const std::vector<std::function<void()>>& bodies) {
  std::vector<std::thread> threads;
  threads.reserve(bodies.size());  // an exception would find threads that nobody joins
  try {
    for (const auto& body : bodies) threads.emplace_back(std::cref(body));
  } catch (const std::system_error&) {  // as many as there may be
  } catch (const std::bad_alloc&) {
  }
  return threads;
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
  const std::vector<std::function<void()>> bodies(wanted == 0 ? 0 : wanted - 1, std::ref(work));
  std::vector<std::thread> helpers = start_threads(bodies);
  work();
  for (std::thread& helper : helpers) helper.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace zeroshelf
