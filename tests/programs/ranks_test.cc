// Several processes that mpirun starts answer as one: the same bytes on standard output, nothing
// twice, and no answer that looks whole when one of them fails. Skipped where there is no mpirun,
// or zeroshelf was built without libopenmpi-dev.

#define BOOST_TEST_NO_MAIN
#define BOOST_TEST_ALTERNATIVE_INIT_API
#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/programs/programs.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::testing {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr const char* kMpirun = "/usr/bin/mpirun";
const Words kLabels = {"--labels", "Doom, Animal Crossing"};

Words joined(Words a, const Words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Drawn memes in five shards, and a set of them.
struct Shards {
  Shards() {
    const auto drawn =
        run_program({ZEROSHELF_DRAW_PROGRAM, "memes", pictures, "--count", "30", "--seed", "77"});
    BOOST_REQUIRE_EQUAL(drawn.exit_code, 0);
    std::ofstream list(set);
    for (int i = 0; i < 5; ++i) {
      parts.push_back((directory / ("part" + std::to_string(i))).string());
      const auto added =
          zeroshelf_index({"add", parts.back(), pictures, "--shard", std::to_string(i) + "/5"});
      BOOST_REQUIRE_MESSAGE(added.exit_code == 0, added.err);
      list << "part" << i << "\n";
    }
  }

  TemporaryDirectory directory;
  std::string pictures = (directory / "memes").string();
  std::string set = (directory / "all.set").string();
  Words parts;
};

const Shards& shards() {
  static const Shards all;
  return all;
}

constexpr int kProcesses = 4;

// On this machine alone, in fewer cores than there are processes, by root as well.
void set_launcher() {
  const std::pair<const char*, const char*> settings[] = {
      {"OMPI_ALLOW_RUN_AS_ROOT", "1"},
      {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"},
      {"OMPI_MCA_rmaps_base_oversubscribe", "1"},
      {"OMPI_MCA_hwloc_base_binding_policy", "none"},
      {"OMPI_MCA_mpi_yield_when_idle", "1"},
      {"OMPI_MCA_pml", "ob1"},
      {"OMPI_MCA_coll", "basic,libnbc,self"},
      {"OMPI_MCA_btl", "self,vader,tcp"},
      {"OMPI_MCA_btl_vader_single_copy_mechanism", "none"},
      {"OMPI_MCA_btl_tcp_if_include", "lo"},
      {"OMPI_MCA_oob_tcp_if_include", "lo"},
      {"OMPI_MCA_plm", "isolated"},
      {"PMIX_MCA_gds", "hash"},
  };
  for (const auto& [name, value] : settings) ::setenv(name, value, 1);
}

ProgramResult ask(const Words& words) {
  const Words command = {kMpirun, "-n", std::to_string(kProcesses), ZEROSHELF_QUERY_PROGRAM};
  return run_program(joined(command, words));
}

size_t times(const std::string& what, const std::string& text) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

// What the processes say of the parts, beside one alone.
void expect_same(const std::string& command, const Words& behind) {
  const Words words = joined({command, shards().set}, behind);
  const ProgramResult alone = zeroshelf_query(words);
  BOOST_TEST(alone.exit_code <= 1, alone.err);
  const ProgramResult together = ask(words);
  BOOST_TEST_CONTEXT(command << " " << (behind.empty() ? "" : behind.back())) {
    BOOST_TEST(together.exit_code == alone.exit_code, together.err);
    BOOST_TEST((together.out == alone.out), "alone:\n"
                                                << alone.out.substr(0, 1500) << "together:\n"
                                                << together.out.substr(0, 1500));
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(several_processes)

BOOST_AUTO_TEST_CASE(labels_are_those_of_one) {
  expect_same("classify", joined(kLabels, {"--format", "jsonl"}));
  expect_same("classify", joined(kLabels, {"--multi", "--only", "Doom"}));
  expect_same("classify", joined(kLabels, {"--none", "--threshold", "0.6", "--summary"}));
}

BOOST_AUTO_TEST_CASE(labels_with_vetoes_and_levels_are_those_of_one) {
  TemporaryDirectory directory;
  const std::string labels = (directory / "labels.txt").string();
  std::ofstream(labels) << "game/shooter/Doom: Doom | - a village\n"
                        << "game/Animal Crossing\nfood\n";
  expect_same("classify", {"--labels-file", labels, "--depth", "2", "--format", "jsonl"});
}

BOOST_AUTO_TEST_CASE(what_needs_all_parts_is_answered_by_one) {
  TemporaryDirectory directory;
  const std::string labels = (directory / "labels.txt").string();
  const std::string picture =
      json_lines(
          zeroshelf_query({"search", shards().set, "demon", "--all", "--format", "jsonl"}).out)
          .front()["path"];
  std::ofstream(labels) << "Doom: Doom | @" << picture << "\nAnimal Crossing\n";
  expect_same("classify", {"--labels-file", labels, "--format", "csv"});
  const std::string lock = (directory / "labels.lock").string();
  const auto locked = ask(joined({"classify", shards().set, "--summary", "--lock", lock}, kLabels));
  BOOST_TEST(locked.exit_code == 0, locked.err);
  BOOST_TEST(times("the work of one process", locked.err) == 1u, locked.err);
  BOOST_TEST(zeroshelf_query({"verify", shards().set, "--lock", lock}).exit_code == 0);
  const auto refused = ask({"classify", shards().set, "--labels-file", labels, "--lock", lock});
  BOOST_TEST(refused.exit_code == 2);
  BOOST_TEST(times(lock, refused.err) == 1u, refused.err);
}

BOOST_AUTO_TEST_CASE(hits_are_those_of_one) {
  expect_same("search", {"rip and tear", "--all", "--format", "jsonl", "-k", "60"});
  const std::string path =
      json_lines(
          zeroshelf_query({"search", shards().set, "demon", "--all", "--format", "jsonl"}).out)
          .front()["path"];
  expect_same("search", {"--like", fs::path(path).filename().string(), "--all", "--group",
                         "--format", "jsonl"});
}

BOOST_AUTO_TEST_CASE(a_run_is_kept_as_one_process_keeps_it) {
  const auto words = [](const std::string& name) {
    return joined({"classify", shards().set}, joined(kLabels, {"--save", name, "--summary"}));
  };
  BOOST_TEST(zeroshelf_query(words("alone")).exit_code == 0);
  BOOST_TEST(ask(words("together")).exit_code == 0);
  const auto changes =
      zeroshelf_query({"diff", shards().set, "alone", "together", "--format", "jsonl"});
  BOOST_TEST(changes.exit_code <= 1, changes.err);
  const auto of_run = [](const std::string& name) {
    return zeroshelf_query(
        {"search", shards().set, "demon", "--all", "--run", name, "--label", "Doom"});
  };
  BOOST_TEST((of_run("alone").out == of_run("together").out));
  BOOST_TEST(!of_run("together").out.empty());
}

BOOST_AUTO_TEST_CASE(what_does_not_gain_is_answered_by_the_first_and_said_once) {
  TemporaryDirectory directory;
  const std::string target = (directory / "sorted").string();
  const auto before = files_below(shards().pictures);
  const auto exported =
      ask(joined({"export", shards().set, "--to", target, "--mode", "move"}, kLabels));
  BOOST_TEST(exported.exit_code == 0, exported.err);
  BOOST_TEST(times("pictures exported to", exported.err) == 1u, exported.err);
  BOOST_TEST((files_below(shards().pictures) != before));
  BOOST_TEST(zeroshelf_query({"undo", target}).exit_code == 0);
  BOOST_TEST((files_below(shards().pictures) == before));
}

BOOST_AUTO_TEST_CASE(each_process_writes_a_part_of_the_answers) {
  TemporaryDirectory directory;
  const std::string folder = (directory / "answers").string();
  const Words words =
      joined({"classify", shards().set, "--format", "jsonl", "--to", folder}, kLabels);
  const auto written = ask(words);
  BOOST_TEST(written.exit_code == 0, written.err);
  BOOST_TEST(times("pictures labelled with", written.err) == 1u, written.err);
  BOOST_TEST(written.out.empty());
  Words names;
  Words lines;
  for (const auto& [path, bytes] : files_below(folder)) {
    names.push_back(fs::path(path).filename().string());
    std::istringstream stream(bytes);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
  }
  BOOST_TEST((names == Words{"answers-00000-of-00004.jsonl", "answers-00001-of-00004.jsonl",
                             "answers-00002-of-00004.jsonl", "answers-00003-of-00004.jsonl"}));
  const auto alone =
      zeroshelf_query(joined({"classify", shards().set, "--format", "jsonl"}, kLabels));
  Words wanted;
  std::istringstream stream(alone.out);
  for (std::string line; std::getline(stream, line);) wanted.push_back(line);
  std::ranges::sort(lines);
  std::ranges::sort(wanted);
  BOOST_TEST((lines == wanted));
  const auto again = ask(words);
  BOOST_TEST(again.exit_code == 2);
  BOOST_TEST(times("answers-00000-of-00004.jsonl", again.err) == 1u, again.err);
}

BOOST_AUTO_TEST_CASE(a_lost_part_ends_all_and_leaves_no_answer) {
  TemporaryDirectory directory;
  Words parts;
  for (const std::string& part : shards().parts) {
    parts.push_back((directory / fs::path(part).filename().string()).string());
    fs::copy(part, parts.back(), fs::copy_options::recursive);
  }
  const auto words = [&](const Words& behind) {
    return joined(joined({"classify"}, parts), joined(kLabels, behind));
  };
  fs::remove_all(parts[3]);
  const auto refused = ask(words({"--to", (directory / "answers").string()}));
  BOOST_TEST(refused.exit_code == 2);
  BOOST_TEST(times("zeroshelf-query: " + parts[3] + ": ", refused.err) == 1u, refused.err);
  BOOST_TEST(files_below(directory / "answers").empty());
  const Words query = {"a village", "--all", "--format", "jsonl", "--partial"};
  const auto partial = ask(joined(joined({"search"}, parts), query));
  BOOST_TEST(partial.exit_code == 3);
  BOOST_TEST(times("coverage: 4/5", partial.err) == 1u, partial.err);
  BOOST_TEST((partial.out == zeroshelf_query(joined(joined({"search"}, parts), query)).out));
  BOOST_TEST(files_below(directory / "answers").empty());
}

BOOST_AUTO_TEST_CASE(a_part_that_does_not_open_in_time_ends_all_or_is_left_out) {
  ::setenv("LD_PRELOAD", ZEROSHELF_HANGING_OPEN, 1);
  ::setenv("ZEROSHELF_HANGING", shards().parts[3].c_str(), 1);
  const Words words = joined({"classify", shards().set, "--deadline", "4", "--summary"}, kLabels);
  const auto late = ask(words);
  const auto alone = zeroshelf_query(words);
  const auto partial = ask({"search", shards().set, "demon", "--partial", "--deadline", "4"});
  ::unsetenv("ZEROSHELF_HANGING");
  ::unsetenv("LD_PRELOAD");
  for (const auto* result : {&late, &alone}) {
    BOOST_TEST(result->exit_code == 2);
    BOOST_TEST(times("part3: has not opened within 4 s", result->err) == 1u, result->err);
  }
  BOOST_TEST(partial.exit_code == 3, partial.err);
  BOOST_TEST(times("coverage: 4/5", partial.err) == 1u, partial.err);
}

BOOST_AUTO_TEST_CASE(a_program_that_was_started_alone_loads_no_mpi) {
  ::setenv("LD_DEBUG", "files", 1);
  const auto alone = zeroshelf_query(joined({"classify", shards().set, "--summary"}, kLabels));
  ::unsetenv("LD_DEBUG");
  BOOST_TEST(alone.exit_code == 0);
  BOOST_TEST(times("libc.so", alone.err) > 0u);
  for (const char* library : {"libmpi", "libpmix", "zeroshelf_mpi_part"})
    BOOST_TEST(times(library, alone.err) == 0u);
}

BOOST_AUTO_TEST_CASE(without_mpi_several_processes_of_srun_are_refused) {
  const auto as_task = [](const char* rank, const Words& words) {
    ::setenv("SLURM_PROCID", rank, 1);
    ::setenv("SLURM_STEP_NUM_TASKS", "2", 1);
    const auto result = zeroshelf_query(words);
    ::unsetenv("SLURM_PROCID");
    ::unsetenv("SLURM_STEP_NUM_TASKS");
    return result;
  };
  const Words words = joined({"classify", shards().set, "--summary"}, kLabels);
  const auto first = as_task("0", words);
  BOOST_TEST(first.exit_code == 2);
  BOOST_TEST(times("srun --mpi=pmix", first.err) == 1u, first.err);
  const auto second = as_task("1", words);
  BOOST_TEST(second.exit_code == 0);
  BOOST_TEST(second.err.empty());
  BOOST_TEST(as_task("1", {"runs", shards().set}).out.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf::testing

int main(int argc, char** argv) {
  if (::access(zeroshelf::testing::kMpirun, X_OK) != 0 ||
      !std::filesystem::exists(ZEROSHELF_MPI_PART)) {
    std::puts(
        "skipped: no mpirun, or built without MPI (apt-get install libopenmpi-dev openmpi-bin)");
    return 77;
  }
  zeroshelf::testing::set_launcher();
  if (zeroshelf::testing::run_program({zeroshelf::testing::kMpirun, "-n", "4", "/bin/true"})
          .exit_code != 0) {
    std::puts("skipped: mpirun cannot start four processes of another program here");
    return 77;
  }
  return boost::unit_test::unit_test_main([] { return true; }, argc, argv);
}
