#pragma once

// Fuzzing in a process of its own: what a hostile input does to it, the supervisor survives.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace zeroshelf::testing {

inline constexpr size_t kMaxInputBytes = 256 << 10;

// What a worker tells while it works: a file that both processes map, so that the input of a crash
// is known. Threads: one side writes, the other reads when the writer has ended.
class Slot {
 public:
  struct Content {
    uint64_t inputs;    // finished
    uint64_t outcomes;  // different ones
    uint64_t size;      // of the input that is being read
    char bytes[kMaxInputBytes];
  };

  // Makes the file where it is absent. Throws Io.
  explicit Slot(const std::filesystem::path& path);
  ~Slot();
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  Content& content() { return *content_; }

 private:
  Content* content_;
};

struct WorkOptions {
  std::string target;
  uint64_t seed = 1;
  double seconds = 5;
  uint64_t limit_ms = 10'000;   // processor time for one input; ten times as much on the clock
  uint64_t memory_mib = 1'024;  // of the whole process
  std::filesystem::path slot;
};

// Reads mutated inputs until the time is over. A finding ends the process: by the signal of the
// crash, by SIGPROF or SIGALRM when an input takes too long, by SIGABRT when memory or a promise is
// exceeded, with the reason on stderr.
void work(const WorkOptions& options);

// Reads the input of a file once, under the same limits, and says what came of it.
std::string replay(const WorkOptions& options, const std::filesystem::path& input);

}  // namespace zeroshelf::testing
