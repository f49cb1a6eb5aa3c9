// PR_SET_PDEATHSIG would go by the thread that made this process, and by a script's end rather than
// that of the launcher above it. Tested by tests/cluster/launcher_watch_test.cc and
// tests/programs/ranks_test.cc.

#include "lib/cluster/launcher_watch.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace zeroshelf {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(200);

struct OwnedFacts {
  std::string name;
  pid_t parent = 0;
};

// /proc/PID/stat is: number (name) state parent ...; the name may hold anything.
OwnedFacts read_facts(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const size_t begin = text.find('(');
  const size_t end = text.rfind(") ");
  if (begin == std::string::npos || end == std::string::npos || end + 4 > text.size()) return {};
  return {text.substr(begin + 1, end - begin - 1), std::atoi(text.c_str() + end + 4)};
}

bool is_running(pid_t process) {
  return ::kill(process, 0) == 0 || errno != ESRCH;
}

// Whether all of them are there, each the child of the next. What cannot be read for now (no file
// can be opened, say) is no reason to end.
bool are_there(std::span<const pid_t> above) {
  if (::getppid() != above.front()) return false;
  for (size_t i = 0; i + 1 < above.size(); ++i) {
    const pid_t parent = read_facts(above[i]).parent;
    if (parent != above[i + 1] && (parent != 0 || !is_running(above[i]))) return false;
  }
  return true;
}

std::vector<pid_t> processes_above() {
  OwnedFacts facts;
  return up_to_launcher(::getppid(), [&](pid_t process) {
    facts = read_facts(process);
    return ProcessFacts{facts.name, facts.parent};
  });
}

}  // namespace

bool is_launcher(std::string_view name) {
  constexpr std::string_view kBeginnings[] = {"mpirun", "mpiexec", "orterun", "orted",
                                              "prte",   "prun",    "hydra_",  "slurmstepd"};
  return std::ranges::any_of(kBeginnings,
                             [&](std::string_view one) { return name.starts_with(one); });
}

std::vector<pid_t> up_to_launcher(pid_t parent,
                                  const std::function<ProcessFacts(pid_t)>& facts_of) {
  constexpr size_t kMostAbove = 16;
  if (parent <= 0) return {};
  std::vector<pid_t> above;
  for (pid_t process = parent; process > 0 && above.size() < kMostAbove;) {
    const ProcessFacts facts = facts_of(process);
    above.push_back(process);
    if (is_launcher(facts.name)) return above;
    process = facts.parent;
  }
  return {parent};
}

void end_with_launcher(std::function<void()> tell, int exit_code) {
  // Where one of them is gone, another one takes its children.
  std::vector<pid_t> above = processes_above();
  if (above.empty()) return;
  // Signals are for the other threads.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread([above = std::move(above), tell = std::move(tell), exit_code] {
      while (are_there(above)) std::this_thread::sleep_for(kLookEvery);
      tell();
      ::_exit(exit_code);
    }).detach();
  } catch (const std::system_error&) {
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace zeroshelf
