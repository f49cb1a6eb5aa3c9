#pragma once

// Whether a launcher started this program as one of several processes: mpirun, or Slurm's srun.
//
// Only the environment is read, so that a program that was started alone pays nothing.
// Threads: any, while nobody changes the environment.

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace zeroshelf {

struct Launch {
  size_t rank = 0;  // below size
  size_t size = 1;
  // Whether the processes can find each other: srun also starts several that know nothing of MPI.
  bool has_mpi = true;

  bool is_first() const { return rank == 0; }
  bool operator==(const Launch&) const = default;
};

// Nothing where the program was started alone, and by a launcher that started one process only.
// value_of: of a variable of the environment; null: it is not set. What is no number counts as not
// set.
std::optional<Launch> launch_of(const std::function<const char*(const char*)>& value_of);
// By the environment of this process.
std::optional<Launch> launch();
// Whether any launcher started it, and be it alone: then nobody looks at its output directly.
bool is_launched();

}  // namespace zeroshelf
