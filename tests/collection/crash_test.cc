// A writer killed at random instants: everything that was acknowledged is there, and nothing is
// torn.

#include <boost/test/unit_test.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include "tests/collection/crash_writer.h"
#include "tests/collection/shelf.h"

namespace zeroshelf {
namespace {

using testing::Shelf;

constexpr int kRounds = 25;
enum class KillFrom { Start, FirstCommit };

// Runs a writer, kills it some time after its start or its first commit, and returns the last
// number of pictures that it acknowledged.
uint32_t run_and_kill(const Shelf& shelf, const char* command, KillFrom from,
                      std::chrono::microseconds after) {
  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {  // a program of its own: RocksDB's threads do not survive a fork
    ::dup2(ends[1], STDOUT_FILENO);
    ::execl(ZEROSHELF_CRASH_WRITER, "crash_writer", command, shelf.path.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  uint32_t acknowledged = 0;
  if (from == KillFrom::FirstCommit) {
    BOOST_REQUIRE(::read(ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged);
  }
  ::usleep(static_cast<useconds_t>(after.count()));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  for (uint32_t number = 0; ::read(ends[0], &number, sizeof number) == sizeof number;)
    acknowledged = number;
  ::close(ends[0]);
  return acknowledged;
}

// Returns in how many rounds the collection had an approximate index afterwards.
int kill_again_and_again(const Shelf& shelf, const char* command) {
  const uint32_t seed = std::random_device()();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  uint32_t acknowledged = 0;
  int indexed = 0;
  for (int round = 0; round < kRounds; ++round) {
    // Now and then while the collection is created or opened.
    const KillFrom from = round % 4 == 0 ? KillFrom::Start : KillFrom::FirstCommit;
    const std::chrono::microseconds after(random() % 200'000);
    BOOST_TEST_CONTEXT("seed " << seed << " round " << round << " killed after " << after.count()
                               << " us") {
      if (const uint32_t told = run_and_kill(shelf, command, from, after); told > 0)
        acknowledged = told;
      if (acknowledged == 0) continue;  // it had not even been created
      const std::vector<Fault> faults = verify_collection(shelf.path);
      BOOST_TEST(faults.empty());
      for (const Fault& fault : faults) BOOST_TEST_MESSAGE(fault.subject << ": " << fault.cause);
      const Collection collection = shelf.read();
      BOOST_TEST(testing::torn(collection) == "");
      // What was acknowledged, or the state after the commit in flight.
      const auto pictures = static_cast<uint32_t>(collection.counts().pictures);
      BOOST_TEST((pictures == acknowledged || pictures == acknowledged + testing::kCrashBatch ||
                  pictures + testing::kCrashBatch == acknowledged));
      acknowledged = pictures;
      if (collection.vector_index() != nullptr) ++indexed;
    }
  }
  BOOST_TEST(acknowledged > 0u);
  return indexed;
}

BOOST_AUTO_TEST_SUITE(crashes)

BOOST_FIXTURE_TEST_CASE(a_writer_killed_at_any_instant_loses_nothing_acknowledged, Shelf) {
  BOOST_TEST(kill_again_and_again(*this, "write") == 0);
}

BOOST_FIXTURE_TEST_CASE(a_writer_killed_while_it_writes_an_approximate_index_loses_nothing, Shelf) {
  BOOST_TEST(kill_again_and_again(*this, "write-indexed") > 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
