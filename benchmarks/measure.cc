// What the benchmarks share. Run by every one of them.

#include "benchmarks/measure.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <chrono>
#include <cstring>
#include <fstream>

#include "lib/util/cpu.h"
#include "lib/util/parallel.h"

namespace zeroshelf {

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  std::string model, family, number;
  for (std::string line; std::getline(info, line) && !line.empty();) {
    const auto value = [&] { return line.substr(std::min(line.size(), line.find(": ") + 2)); };
    if (line.starts_with("model name")) model = value();
    if (line.starts_with("cpu family")) family = value();
    if (line.starts_with("model\t")) number = value();
  }
  return model + " (family " + family + ", model " + number + ")";
}

double seconds_of(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double processor_seconds_of(const std::function<void()>& body) {
  const auto now = [] {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  const double start = now();
  body();
  return now() - start;
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

namespace {

// A line at a time; what is left over at the end of a chunk is read as bytes.
template <class Line>
uint64_t sum_lines(const std::byte* bytes, size_t count, Line line) {
  constexpr size_t kLine = 64;
  size_t i = 0;
  for (; i + kLine <= count; i += kLine) line(bytes + i);
  uint64_t rest = 0;
  for (; i < count; ++i) rest += static_cast<uint64_t>(bytes[i]);
  return rest;
}

uint64_t read_words(const std::byte* bytes, size_t count) {
  uint64_t sums[8] = {};
  uint64_t sum = sum_lines(bytes, count, [&](const std::byte* line) {
    uint64_t words[8];
    std::memcpy(words, line, sizeof words);
    for (int j = 0; j < 8; ++j) sums[j] += words[j];
  });
  for (const uint64_t part : sums) sum += part;
  return sum;
}

#if defined(__x86_64__)
// Across pages, where the processor's own prefetching ends.
constexpr size_t kAhead = 4096;

template <bool IsAhead>
__attribute__((target("avx2"))) uint64_t read_avx2(const std::byte* bytes, size_t count) {
  __m256i sums[4] = {};
  size_t i = 0;
  for (; i + 128 <= count; i += 128) {
    if (IsAhead) {
      _mm_prefetch(reinterpret_cast<const char*>(bytes + i + kAhead), _MM_HINT_T0);
      _mm_prefetch(reinterpret_cast<const char*>(bytes + i + kAhead + 64), _MM_HINT_T0);
    }
    for (size_t j = 0; j < 4; ++j) {
      sums[j] = _mm256_add_epi64(
          sums[j], _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + i + 32 * j)));
    }
  }
  const __m256i sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  return read_words(bytes + i, count - i) +
         static_cast<uint64_t>(sum[0] + sum[1] + sum[2] + sum[3]);
}

template <bool IsAhead>
__attribute__((target("avx512f"))) uint64_t read_avx512(const std::byte* bytes, size_t count) {
  __m512i sums[4] = {};
  size_t i = 0;
  for (; i + 256 <= count; i += 256) {
    for (size_t j = 0; j < 4; ++j) {
      if (IsAhead) {
        _mm_prefetch(reinterpret_cast<const char*>(bytes + i + kAhead + 64 * j), _MM_HINT_T0);
      }
      sums[j] = _mm512_add_epi64(sums[j], _mm512_loadu_si512(bytes + i + 64 * j));
    }
  }
  const __m512i sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  uint64_t all = read_words(bytes + i, count - i);
  for (int j = 0; j < 8; ++j) all += static_cast<uint64_t>(sum[j]);
  return all;
}
#endif

std::vector<ReadingWay> ways_to_read() {
  struct Loads {
    const char* name;
    uint64_t (*read)(const std::byte*, size_t);
  };
  std::vector<Loads> loads = {{"words", read_words}};
#if defined(__x86_64__)
  if (instruction_set() != InstructionSet::Portable) {
    loads.push_back({"AVX2", read_avx2<false>});
    loads.push_back({"AVX2, asking ahead", read_avx2<true>});
  }
  if (instruction_set() == InstructionSet::Avx512) {
    loads.push_back({"AVX-512", read_avx512<false>});
    loads.push_back({"AVX-512, asking ahead", read_avx512<true>});
  }
#endif
  std::vector<ReadingWay> ways;
  for (const auto& [name, read] : loads) {
    for (const size_t kib : {64, 1024, 16 * 1024}) {
      ways.push_back(
          {std::string(name) + ", " + std::to_string(kib) + " KiB a time", kib << 10, read});
    }
  }
  return ways;
}

}  // namespace

void stream(std::span<const VectorRows* const> rows, const ReadingWay& way) {
  static std::atomic<uint64_t> sink{0};
  for (const VectorRows* const each : rows) {
    for (const VectorRows::Segment& segment : each->segments()) {
      const auto* bytes = reinterpret_cast<const std::byte*>(segment.data);
      parallel_chunks(
          segment.rows * each->dimension() * sizeof(uint16_t), way.chunk_bytes, 0,
          [&](size_t begin, size_t end) { sink += way.read(bytes + begin, end - begin); });
    }
  }
}

ReadingWay fastest_way_to_read(std::span<const VectorRows* const> rows, int repeats) {
  const std::vector<ReadingWay> ways = ways_to_read();
  std::vector<std::vector<double>> seconds(ways.size());
  for (int i = 0; i < repeats; ++i) {
    for (size_t j = 0; j < ways.size(); ++j) {
      seconds[j].push_back(seconds_of([&] { stream(rows, ways[j]); }));
    }
  }
  const auto fastest =
      std::ranges::min_element(seconds, {}, [](const auto& of) { return median(of); });
  return ways[static_cast<size_t>(fastest - seconds.begin())];
}

std::string small_pixmap(int number) {
  std::string file = "P6\n8 8\n255\n";
  for (int i = 0; i < 8 * 8 * 3; ++i) file += static_cast<char>(number * 31 + i * number);
  return file;
}

}  // namespace zeroshelf
