#pragma once

// Ends a process whose launcher is gone: nobody waits for its answer any more, and nobody would end
// it. (A launcher that is killed with SIGKILL ends none of its processes.)

#include <sys/types.h>

#include <functional>
#include <string_view>
#include <vector>

namespace zeroshelf {

// Whether a program of that name (as /proc/PID/comm has it, 15 bytes at most) starts processes that
// live no longer than it: mpirun and its daemons, Slurm's slurmstepd.
bool is_launcher(std::string_view name);

// What is known of another process; zero: nothing.
struct ProcessFacts {
  std::string_view name;
  pid_t parent = 0;
};
// The processes that the launcher's life hangs on, from that parent on up to the launcher: a script
// may stand between. Only the parent where no launcher is found above it; nothing without a parent.
std::vector<pid_t> up_to_launcher(pid_t parent, const std::function<ProcessFacts(pid_t)>& facts_of);

// From now on, until the process ends: when the parent is gone, or one of those between it and the
// launcher, or the launcher, calls tell in a thread of its own and ends the process with that code,
// in the middle of whatever it does, within some tenths of a second. Where no thread can be
// started, nothing is watched. tell must not throw.
void end_with_launcher(std::function<void()> tell, int exit_code);

}  // namespace zeroshelf
