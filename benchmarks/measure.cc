// What the benchmarks share. Run by every one of them.

#include "benchmarks/measure.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <chrono>
#include <cstring>

#include "lib/util/parallel.h"

namespace zeroshelf {

double seconds_of(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  assert(!values.empty());
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

double median_seconds(int repeats, const std::function<void()>& body) {
  std::vector<double> seconds;
  for (int i = 0; i < repeats; ++i) seconds.push_back(seconds_of(body));
  return median(std::move(seconds));
}

void stream(const VectorRows& rows) {
  // Summed, so that no compiler leaves the reading out.
  static std::atomic<uint64_t> sink{0};
  for (const VectorRows::Segment& segment : rows.segments()) {
    const auto* bytes = reinterpret_cast<const std::byte*>(segment.data);
    parallel_chunks(segment.rows * rows.dimension() * sizeof(uint16_t), 1 << 20, 0,
                    [&](size_t begin, size_t end) {
                      uint64_t sums[8] = {};
                      for (size_t i = begin; i + 64 <= end; i += 64) {
                        uint64_t words[8];
                        std::memcpy(words, bytes + i, 64);
                        for (int j = 0; j < 8; ++j) sums[j] += words[j];
                      }
                      for (const uint64_t sum : sums) sink += sum;
                    });
  }
}

std::string small_pixmap(int number) {
  std::string file = "P6\n8 8\n255\n";
  for (int i = 0; i < 8 * 8 * 3; ++i) file += static_cast<char>(number * 31 + i * number);
  return file;
}

}  // namespace zeroshelf
