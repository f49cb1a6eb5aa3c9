// Tested by tests/cluster/launch_test.cc.

#include "lib/cluster/launch.h"

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace zeroshelf {
namespace {

constexpr size_t kMostRanks = 100'000;

// What a launcher calls a process's number, and how many there are.
struct Names {
  const char* rank;
  const char* size;
  bool has_mpi;
};
constexpr Names kLaunchers[] = {
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", true},  // mpirun of Open MPI
    {"PMIX_RANK", "SLURM_STEP_NUM_TASKS", true},             // srun --mpi=pmix
    {"PMI_RANK", "PMI_SIZE", true},                          // srun --mpi=pmi2
    {"SLURM_PROCID", "SLURM_STEP_NUM_TASKS", false},         // srun without MPI
};

std::optional<size_t> number(const char* text) {
  if (text == nullptr) return std::nullopt;
  const std::string_view digits(text);
  size_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

const char* of_environment(const char* name) {
  return std::getenv(name);
}

}  // namespace

std::optional<Launch> launch_of(const std::function<const char*(const char*)>& value_of) {
  for (const Names& names : kLaunchers) {
    const auto rank = number(value_of(names.rank));
    const auto size = number(value_of(names.size));
    if (!rank || !size || *size > kMostRanks || *rank >= *size) continue;
    if (*size == 1) return std::nullopt;
    return Launch{*rank, *size, names.has_mpi};
  }
  return std::nullopt;
}

std::optional<Launch> launch() {
  return launch_of(of_environment);
}

bool is_launched() {
  return std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr;
}

}  // namespace zeroshelf
