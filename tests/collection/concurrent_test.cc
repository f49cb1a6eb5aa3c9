// Readers beside a writer that adds, changes, removes, publishes and compacts: every reader sees
// one committed state, for as long as it stays open.
//
// ZEROSHELF_SECONDS sets how long (default 4).

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "lib/util/error.h"
#include "tests/collection/crash_writer.h"
#include "tests/collection/shelf.h"

namespace zeroshelf {
namespace {

using std::chrono::steady_clock;
using testing::Shelf;

constexpr int kReaders = 2;
// So much must happen for a case to say something; a busy machine is given more time for it.
constexpr uint64_t kOpenings = 10;
constexpr uint64_t kCommits = 20;
constexpr std::chrono::seconds kPatience{60};

// A writer in a process of its own, killed with the object.
class EndlessWriter {
 public:
  EndlessWriter(const char* command, const std::filesystem::path& collection) {
    child_ = ::fork();
    BOOST_REQUIRE(child_ >= 0);
    if (child_ > 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::close(STDOUT_FILENO);
    ::open("/dev/null", O_WRONLY);
    ::execl(ZEROSHELF_CRASH_WRITER, "crash_writer", command, collection.c_str(), nullptr);
    ::_exit(127);
  }
  ~EndlessWriter() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  EndlessWriter(const EndlessWriter&) = delete;
  EndlessWriter& operator=(const EndlessWriter&) = delete;

  bool runs() const { return ::waitpid(child_, nullptr, WNOHANG) == 0; }

 private:
  pid_t child_;
};

// Opens, looks at everything, waits while the writer goes on, and looks again.
std::string read_once(const Shelf& shelf, uint64_t& commits) try {
  const Collection collection = shelf.read();
  if (collection.counts().commits < commits) return "an older state than before";
  commits = collection.counts().commits;
  if (std::string wrong = testing::torn(collection); !wrong.empty()) return wrong;
  const std::string said = testing::answers(collection);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return testing::answers(collection) == said ? "" : "its answers changed while it was open";
} catch (const std::exception& error) {
  return error.what();
}

struct ReadersBeside : Shelf {
  ReadersBeside() {
    CollectionWriter writer = write();
    add(writer, 0, testing::kCrashBatch);
  }

  // Opens and reads in threads beside crash_writer's command. Sets what the counts below say.
  void read_beside(const char* command) {
    const uint64_t commits_before = read().counts().commits;
    const EndlessWriter writer(command, path);
    const auto end = steady_clock::now() + length;
    std::vector<std::string> wrong(kReaders);
    std::vector<std::thread> readers;
    for (int i = 0; i < kReaders; ++i) {
      readers.emplace_back([&, i] {
        uint64_t seen = commits_before;
        const auto enough = [&] {
          const auto now = steady_clock::now();
          return now > end + kPatience ||
                 (now > end && opened > kOpenings && seen > commits_before + kCommits);
        };
        while (!enough() && wrong[i].empty()) {
          wrong[i] = read_once(*this, seen);
          ++opened;
        }
      });
    }
    for (std::thread& reader : readers) reader.join();
    BOOST_TEST(writer.runs());
    for (const std::string& what : wrong) BOOST_TEST(what == "");
    commits = read().counts().commits - commits_before;
    BOOST_TEST_MESSAGE(opened << " times opened during " << commits << " commits");
  }

  const char* wanted = std::getenv("ZEROSHELF_SECONDS");
  const std::chrono::seconds length{wanted == nullptr ? 4 : std::atoi(wanted)};
  std::atomic<uint64_t> opened = 0;
  uint64_t commits = 0;
};

BOOST_FIXTURE_TEST_SUITE(concurrent, ReadersBeside)

BOOST_AUTO_TEST_CASE(readers_beside_a_writer_see_committed_states) {
  read_beside("write");
  BOOST_TEST(opened > kOpenings);
  BOOST_TEST(commits > kCommits);
}

BOOST_AUTO_TEST_CASE(readers_beside_endless_compactions_find_a_state_to_read) {
  read_beside("compact");
  BOOST_TEST(opened > kOpenings);
  BOOST_TEST(commits > kCommits);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
