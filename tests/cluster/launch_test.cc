#include "lib/cluster/launch.h"

#include <boost/test/unit_test.hpp>

#include <map>
#include <string>

namespace zeroshelf::testing {
namespace {

std::optional<Launch> launch_in(const std::map<std::string, std::string>& environment) {
  return launch_of([&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(launched_processes)

BOOST_AUTO_TEST_CASE(launchers_are_known_by_what_they_set) {
  const auto third = std::optional(Launch{2, 4, true});
  BOOST_TEST((launch_in({{"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_COMM_WORLD_SIZE", "4"}}) == third));
  BOOST_TEST((launch_in({{"PMIX_RANK", "2"}, {"SLURM_STEP_NUM_TASKS", "4"}}) == third));
  BOOST_TEST((launch_in({{"PMI_RANK", "2"}, {"PMI_SIZE", "4"}}) == third));
  // mpirun within a job of Slurm: its own numbers count.
  BOOST_TEST((launch_in({{"SLURM_PROCID", "0"},
                         {"SLURM_STEP_NUM_TASKS", "2"},
                         {"OMPI_COMM_WORLD_RANK", "2"},
                         {"OMPI_COMM_WORLD_SIZE", "4"}}) == third));
  BOOST_TEST((launch_in({{"SLURM_PROCID", "2"}, {"SLURM_STEP_NUM_TASKS", "4"}}) ==
              std::optional(Launch{2, 4, false})));
}

BOOST_AUTO_TEST_CASE(one_process_is_alone) {
  BOOST_TEST((launch_in({}) == std::nullopt));
  BOOST_TEST((launch_in({{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "1"}}) ==
              std::nullopt));
  // The script of sbatch, which srun did not start.
  BOOST_TEST((launch_in({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "16"}}) == std::nullopt));
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_passed_over) {
  for (const char* rank : {"", "-1", "4", "two", "0x1", "99999999999999999999"}) {
    BOOST_TEST((launch_in({{"OMPI_COMM_WORLD_RANK", rank}, {"OMPI_COMM_WORLD_SIZE", "4"}}) ==
                std::nullopt));
  }
  BOOST_TEST((launch_in({{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "9999999"}}) ==
              std::nullopt));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf::testing
