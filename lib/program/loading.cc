// Tested by tests/programs/few_threads_test.cc.

#include "lib/program/loading.h"

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <string_view>

namespace zeroshelf {
namespace {

constexpr size_t kMostVariables = 8'192;  // of an environment; a larger one is left alone
constexpr std::string_view kName = "OPENBLAS_NUM_THREADS=";
char one_thread[] = "OPENBLAS_NUM_THREADS=1";

// Nothing is constructed yet when these are used.
constinit std::array<char*, kMostVariables + 2> environment{};
constinit char** arguments = nullptr;
constinit bool is_watching = false;
struct sigaction before;

void stop_watching() {
  if (is_watching) ::sigaction(SIGINT, &before, nullptr);
  is_watching = false;
}

// Only what a signal handler may call.
void interrupted(int, siginfo_t* info, void*) {
  stop_watching();
  sigset_t interrupt;
  ::sigemptyset(&interrupt);
  ::sigaddset(&interrupt, SIGINT);
  ::sigprocmask(SIG_UNBLOCK, &interrupt, nullptr);
  const bool by_ourselves = info->si_code == SI_TKILL && info->si_pid == ::getpid();
  if (!by_ourselves) {
    ::raise(SIGINT);
    return;
  }
  ::execve("/proc/self/exe", arguments, environment.data());
  constexpr std::string_view kMessage =
      "zeroshelf: threads: the system lets none start; raise the limit of processes (ulimit -u)\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kMessage.data(), kMessage.size());
  ::_exit(2);
}

// Called by the loader before the libraries' own beginnings.
[[maybe_unused]] void before_libraries(int, char** argv, char** variables) {
  size_t count = 0;
  for (; variables[count] != nullptr; ++count) {
    if (count == kMostVariables || std::string_view(variables[count]).starts_with(kName)) return;
    environment[count] = variables[count];
  }
  environment[count] = one_thread;
  arguments = argv;
  struct sigaction action {};
  action.sa_sigaction = interrupted;
  action.sa_flags = SA_SIGINFO;
  is_watching = ::sigaction(SIGINT, &action, &before) == 0;
}

// (The sanitizers' code would run before they are ready.)
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define ZEROSHELF_SANITIZED
#endif
#endif
#if !defined(__SANITIZE_ADDRESS__) && !defined(ZEROSHELF_SANITIZED)
__attribute__((section(".preinit_array"),
               used)) void (*const kBeforeLibraries)(int, char**, char**) = before_libraries;
#endif

}  // namespace

void end_of_loading() noexcept {
  stop_watching();
}

}  // namespace zeroshelf
