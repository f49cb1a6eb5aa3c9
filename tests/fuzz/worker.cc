// Tested by tests/fuzz/fuzz_test.cc.

#include "tests/fuzz/worker.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "tests/fuzz/mutator.h"
#include "tests/fuzz/targets.h"

// Leaks of the formats' libraries show as memory; one huge allocation is a finding of its own.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0:quarantine_size_mb=16:max_allocation_size_mb=2048:"
         "allocator_may_return_null=0:handle_abort=0";
}

namespace zeroshelf::testing {
namespace {

using Clock = std::chrono::steady_clock;

void set_timer(int which, uint64_t milliseconds) {
  itimerval timer{};
  timer.it_value.tv_sec = static_cast<time_t>(milliseconds / 1000);
  timer.it_value.tv_usec = static_cast<suseconds_t>(milliseconds % 1000 * 1000);
  ::setitimer(which, &timer, nullptr);
}

// The default action of both signals ends the process.
void start_watch(uint64_t limit_ms) {
  set_timer(ITIMER_PROF, limit_ms);
  set_timer(ITIMER_REAL, 10 * limit_ms);
}

void stop_watch() {
  set_timer(ITIMER_PROF, 0);
  set_timer(ITIMER_REAL, 0);
}

[[noreturn]] void give_up(const std::string& reason) {
  fmt::print(stderr, "{}\n", reason);
  std::abort();
}

uint64_t peak_memory_mib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) / 1024;
}

std::string read_watched(const Target& target, const std::string& input,
                         const WorkOptions& options) {
  std::string outcome;
  start_watch(options.limit_ms);
  try {
    outcome = target.read(input);
  } catch (const std::exception& error) {
    give_up(fmt::format("not an outcome: {}", error.what()));
  }
  stop_watch();
  if (const uint64_t used = peak_memory_mib(); used > options.memory_mib) {
    give_up(fmt::format("{} MiB of memory, at most {} are allowed", used, options.memory_mib));
  }
  return outcome;
}

}  // namespace

Slot::Slot(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) throw system_error(path.string(), "open", errno);
  const bool sized = ::ftruncate(file, sizeof(Content)) == 0;
  void* place = ::mmap(nullptr, sizeof(Content), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  const int error = errno;
  ::close(file);
  if (!sized || place == MAP_FAILED) throw system_error(path.string(), "map", error);
  content_ = static_cast<Content*>(place);
}

Slot::~Slot() {
  ::munmap(content_, sizeof(Content));
}

void work(const WorkOptions& options) {
  const Target target = make_target(options.target);
  Slot slot(options.slot);
  Slot::Content& told = slot.content();
  Mutator mutator(options.seed, target.seeds, target.dictionary, kMaxInputBytes);
  const auto end = Clock::now() + std::chrono::duration<double>(options.seconds);
  const auto read = [&](const std::string& input) {
    told.size = std::min(input.size(), kMaxInputBytes);
    std::memcpy(told.bytes, input.data(), told.size);
    mutator.learn(input, read_watched(target, input, options));
    ++told.inputs;
    told.outcomes = mutator.outcomes();
  };
  for (const std::string& seed : target.seeds) read(seed);
  for (uint64_t i = 0; Clock::now() < end; ++i) {
    std::string input = mutator.next();
    if (target.seal && i % 8 != 0) target.seal(input);
    read(input);
  }
}

std::string replay(const WorkOptions& options, const std::filesystem::path& input) {
  return read_watched(make_target(options.target), read_file(input, kMaxInputBytes), options);
}

}  // namespace zeroshelf::testing
