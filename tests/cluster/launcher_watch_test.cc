#include "lib/cluster/launcher_watch.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <map>
#include <string>
#include <vector>

namespace zeroshelf::testing {
namespace {

using Pids = std::vector<pid_t>;

// Processes by number.
Pids above(pid_t parent, const std::map<pid_t, ProcessFacts>& all) {
  return up_to_launcher(parent, [&](pid_t process) {
    const auto found = all.find(process);
    return found == all.end() ? ProcessFacts{} : found->second;
  });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(launcher_watch)

BOOST_AUTO_TEST_CASE(the_launcher_is_found_above_scripts) {
  const std::map<pid_t, ProcessFacts> all = {
      {1, {"init", 0}}, {5, {"bash", 1}}, {7, {"mpirun", 5}}, {8, {"sh", 7}}, {9, {"time", 8}}};
  BOOST_TEST(above(7, all) == (Pids{7}));
  BOOST_TEST(above(9, all) == (Pids{9, 8, 7}));
  BOOST_TEST(above(5, all) == (Pids{5}));  // none above: the parent alone
  BOOST_TEST(above(0, all).empty());       // it is outside of a container
  BOOST_TEST(above(99, all) == (Pids{99}));
  for (const char* name : {"mpirun", "mpirun.openmpi", "orted", "prted", "slurmstepd", "mpiexec"})
    BOOST_TEST(is_launcher(name));
  for (const char* name : {"sh", "", "slurmctld"}) BOOST_TEST(!is_launcher(name));
}

BOOST_AUTO_TEST_CASE(a_process_ends_when_its_parent_is_killed) {
  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    if (::fork() == 0) {
      end_with_launcher([out = ends[1]] { (void)!::write(out, "gone", 4); }, 3);
      (void)!::write(ends[1], "here", 4);
      ::sleep(60);
      (void)!::write(ends[1], "late", 4);
      ::_exit(0);
    }
    ::pause();
    ::_exit(0);
  }
  ::close(ends[1]);
  char text[4] = {};
  BOOST_TEST(::read(ends[0], text, 4) == 4);
  BOOST_TEST(std::string(text, 4) == "here");
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  BOOST_TEST(::read(ends[0], text, 4) == 4);
  BOOST_TEST(std::string(text, 4) == "gone");
  BOOST_TEST(::read(ends[0], text, 4) == 0);  // and it has ended
  ::close(ends[0]);
}

// Where no file can be opened, nothing can be told of the processes above.
BOOST_AUTO_TEST_CASE(a_process_that_can_open_no_file_goes_on) {
  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);
  const pid_t launcher = ::fork();
  if (launcher == 0) {
    ::prctl(PR_SET_NAME, "mpirun");
    if (::fork() == 0) {
      ::prctl(PR_SET_NAME, "sh");
      const pid_t child = ::fork();
      if (child == 0) {
        end_with_launcher([out = ends[1]] { (void)!::write(out, "gone", 4); }, 3);
        const rlimit none{0, 0};
        ::setrlimit(RLIMIT_NOFILE, &none);
        ::usleep(700'000);
        (void)!::write(ends[1], "stay", 4);
        ::_exit(0);
      }
      ::waitpid(child, nullptr, 0);
      ::_exit(0);
    }
    ::wait(nullptr);
    ::_exit(0);
  }
  ::close(ends[1]);
  char text[4] = {};
  BOOST_TEST(::read(ends[0], text, 4) == 4);
  BOOST_TEST(std::string(text, 4) == "stay");
  ::waitpid(launcher, nullptr, 0);
  ::close(ends[0]);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf::testing
