#pragma once

// What the benchmarks share: taking time, the bound of reading rows, and pictures that cost
// nothing.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "lib/vectors/vector_rows.h"

namespace zeroshelf {

// What the processor calls itself, as far as Linux tells.
std::string processor_name();

// The wall-clock time of one call.
double seconds_of(const std::function<void()>& body);

// The processor's time of one call, of the calling thread.
double processor_seconds_of(const std::function<void()>& body);

// The upper median; values must not be empty.
double median(std::vector<double> values);

// The median of `repeats` calls, at least 1.
double median_seconds(int repeats, const std::function<void()>& body);

// One way to read memory with every core: how much a thread takes at a time, and with which loads.
struct ReadingWay {
  std::string name;
  size_t chunk_bytes;
  uint64_t (*read)(const std::byte* bytes, size_t count);  // a sum, so that nothing is left out
};

// Reads every byte of all rows once.
void stream(std::span<const VectorRows* const> rows, const ReadingWay& way);

// The fastest of several ways on this processor, over these rows: no scan should be faster. Each is
// measured `repeats` times in turns.
ReadingWay fastest_way_to_read(std::span<const VectorRows* const> rows, int repeats);

// A picture file (PPM, 8 x 8 pixels) for each number.
std::string small_pixmap(int number);

}  // namespace zeroshelf
