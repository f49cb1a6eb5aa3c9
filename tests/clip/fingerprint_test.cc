#include "models/checkpoint/fingerprint.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <ctime>
#include <thread>

#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

// A cache of its own, and weights large enough to be kept in it.
struct Fixture {
  Fixture() {
    ::setenv("XDG_CACHE_HOME", (directory / "cache").c_str(), 1);
    write('a');
  }
  ~Fixture() { ::unsetenv("XDG_CACHE_HOME"); }

  void write(char content) { testing::write_file(weights, std::string(17 << 20, content)); }
  std::string fingerprint() const {
    return model_fingerprint({weights}, "configuration", "vocabulary");
  }
  // The time of change cannot be set, so wait until it is old enough.
  static void settle() { std::this_thread::sleep_for(std::chrono::milliseconds(3100)); }
  size_t kept() const {
    size_t count = 0;
    std::error_code error;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder, error)) ++count;
    return count;
  }

  testing::TemporaryDirectory directory;
  fs::path weights = directory / "weights";
  fs::path folder = directory / "cache" / "zeroshelf" / "fingerprints";
};

BOOST_AUTO_TEST_SUITE(fingerprint)

BOOST_FIXTURE_TEST_CASE(it_is_kept_and_a_change_is_never_missed, Fixture) {
  const std::string first = fingerprint();
  BOOST_TEST(kept() == 0u);  // just written: not trusted
  settle();
  BOOST_TEST(fingerprint() == first);
  BOOST_TEST(kept() == 1u);
  BOOST_TEST(fingerprint() == first);
  BOOST_TEST(model_fingerprint({weights}, "another", "vocabulary") != first);
  BOOST_TEST(model_fingerprint({weights}, "configuration", "another") != first);

  // The answer does come from the cache, and nonsense there is not believed.
  for (const auto& entry : fs::directory_iterator(folder)) {
    testing::write_file(entry.path(), std::string(32, 'f'));
  }
  BOOST_TEST(fingerprint() == std::string(32, 'f'));
  for (const auto& entry : fs::directory_iterator(folder)) testing::write_file(entry.path(), "x");
  BOOST_TEST(fingerprint() == first);

  // Same size, and the old time of modification put back: the time of change tells.
  struct stat status {};
  BOOST_REQUIRE(::stat(weights.c_str(), &status) == 0);
  write('b');
  const timespec times[] = {status.st_atim, status.st_mtim};
  BOOST_REQUIRE(::utimensat(AT_FDCWD, weights.c_str(), times, 0) == 0);
  const std::string second = fingerprint();
  BOOST_TEST(second != first);
  settle();
  BOOST_TEST(fingerprint() == second);
  write('a');
  BOOST_TEST(fingerprint() == first);
}

BOOST_FIXTURE_TEST_CASE(without_a_cache_it_is_the_same, Fixture) {
  const std::string first = fingerprint();
  fs::remove_all(directory / "cache");
  testing::write_file(directory / "cache", "a file where the folder should be");
  BOOST_TEST(fingerprint() == first);
  ::setenv("XDG_CACHE_HOME", "/proc/no/such/folder", 1);
  BOOST_TEST(fingerprint() == first);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
