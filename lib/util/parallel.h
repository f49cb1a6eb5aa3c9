#pragma once

// Splitting a loop over threads.

#include <cstddef>
#include <functional>

namespace zeroshelf {

// The cores this process may use (affinity, hardware, and the quota of its control group, rounded
// up), at least 1.
unsigned available_cores();

// Calls body(begin, end) for consecutive chunks of [0, count), from up to `threads` threads
// (0: every core), and returns when all are done. Chunks have chunk_size elements, the last one
// fewer; which thread takes which is not determined. The first exception is thrown again here.
void parallel_chunks(size_t count, size_t chunk_size, unsigned threads,
                     const std::function<void(size_t begin, size_t end)>& body);

}  // namespace zeroshelf
