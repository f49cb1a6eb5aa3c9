#pragma once

// Splitting a loop over threads, and starting threads where the system may refuse some.

#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace zeroshelf {

// The cores this process may use (affinity, hardware, and the quota of its control group, rounded
// up), at least 1.
unsigned available_cores();

// Starts threads with these bodies, in their order. Where the system allows no more (a container's
// limit of processes, `ulimit -u`, `ulimit -v`), the rest is left out: the result may be shorter
// than the bodies, or empty, and the caller's own thread must be able to do all of the work. The
// bodies are called where they lie, so they outlive the threads, which the caller joins.
std::vector<std::thread> start_threads(const std::vector<std::function<void()>>& bodies);

// Calls body(begin, end) for consecutive chunks of [0, count), from up to `threads` threads
// (0: every core), and returns when all are done. Chunks have chunk_size elements, the last one
// fewer; which thread takes which is not determined. Where threads cannot be started, fewer work.
// The first exception is thrown again here.
void parallel_chunks(size_t count, size_t chunk_size, unsigned threads,
                     const std::function<void(size_t begin, size_t end)>& body);

}  // namespace zeroshelf
