// A writer whose system calls fail, each once in its turn, or all from one on as on a full disk:
// it ends with an error that says so, and the collection is as some commit left it.
//
// ZEROSHELF_FAIL_EVERY: only one in this many calls (default 8, from a random one on; 1: all).

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <random>

#include "lib/util/error.h"
#include "tests/collection/crash_writer.h"
#include "tests/collection/shelf.h"
#include "tests/support/run_program.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::ProgramResult;
using testing::Shelf;

constexpr int kFailed = 2;  // crash_writer's exit code for an Error

struct Failure {
  long at = 0;  // the number of the call, from 1
  bool from = false;
  int error = EIO;
};

struct FailingShelf : Shelf {
  FailingShelf() {
    if (const char* wanted = std::getenv("ZEROSHELF_FAIL_EVERY")) every = std::atol(wanted);
    first = 1 + static_cast<long>(std::random_device()()) % every;
    BOOST_TEST_MESSAGE("every " << every << " calls from " << first);
  }

  // Sets what failing_calls.cc reads; it is given to the programs run afterwards.
  void fail(const Failure& failure) const {
    const auto set = [](const char* name, const std::string& value) {
      ::setenv(name, value.c_str(), /*overwrite=*/1);
    };
    set("LD_PRELOAD", ZEROSHELF_FAILING_CALLS);
    set("ASAN_OPTIONS", "verify_asan_link_order=0");
    set("ZEROSHELF_FAIL_BELOW", path.string());
    set("ZEROSHELF_FAIL_AT", std::to_string(failure.at));
    set("ZEROSHELF_FAIL_FROM", failure.from ? "1" : "0");
    set("ZEROSHELF_FAIL_ERRNO", std::to_string(failure.error));
    set("ZEROSHELF_FAIL_COUNT", counted.string());
  }
  static void heal() { ::unsetenv("LD_PRELOAD"); }

  ProgramResult run(const std::string& command) const {
    return testing::run_program({ZEROSHELF_CRASH_WRITER, command, path.string(), "4"},
                                std::chrono::seconds(60));
  }
  ProgramResult run(const std::string& command, const Failure& failure) const {
    fail(failure);
    const ProgramResult result = run(command);
    heal();
    return result;
  }

  // How many calls the last program made, and which one failed first.
  std::pair<long, std::string> calls() const {
    std::ifstream file(counted);
    std::pair<long, std::string> result;
    file >> result.first >> result.second;
    return result;
  }

  uint32_t acknowledged(const ProgramResult& result) const {
    uint32_t number = 0;
    if (result.out.size() >= sizeof number) {
      result.out.copy(reinterpret_cast<char*>(&number), sizeof number,
                      (result.out.size() / sizeof number - 1) * sizeof number);
    }
    return number;
  }

  // A collection with tombstones and a snapshot that is behind, as it was before each failure.
  void prepare() {
    BOOST_REQUIRE(run("write").exit_code == 0);
    CollectionWriter writer = write();
    Batch again;
    again.added = {testing::picture("/0", 0)};
    writer.commit(again);
  }

  // What a failure may leave: nothing yet, or a committed state, at least the acknowledged one.
  void expect_sound(uint32_t pictures_before) const {
    if (!fs::exists(path / "MANIFEST.json")) {
      BOOST_TEST(pictures_before == 0u);
      return;
    }
    for (const Fault& fault : verify_collection(path)) {
      BOOST_ERROR(fault.subject << ": " << fault.cause);
    }
    const Collection collection = read();
    BOOST_TEST(testing::torn(collection) == "");
    const auto pictures = static_cast<uint32_t>(collection.counts().pictures);
    BOOST_TEST((pictures == pictures_before || pictures == pictures_before + testing::kCrashBatch ||
                pictures + testing::kCrashBatch == pictures_before));
  }

  // Every call of the command in turn, on a copy of the same collection.
  void expect_every_failure_survived(const std::string& command, bool from, int error,
                                     const std::string& told) {
    const fs::path original = directory / "original";
    const bool is_new = !fs::exists(path);
    if (!is_new) fs::copy(path, original, fs::copy_options::recursive);
    const uint32_t before = is_new ? 0 : static_cast<uint32_t>(read().counts().pictures);
    int errors = 0;
    for (long at = first;; at += every) {
      fs::remove_all(path);
      if (!is_new) fs::copy(original, path, fs::copy_options::recursive);
      const ProgramResult result = run(command, {at, from, error});
      const auto [made, failed] = calls();
      if (made < at) break;
      BOOST_TEST_CONTEXT(command << ": call " << at << ", " << failed << (from ? " and on" : "")
                                 << ": " << result.err) {
        // Zero: what failed was not needed, such as removing a file that is in nobody's way.
        BOOST_TEST((result.exit_code == 0 || result.exit_code == kFailed));
        if (result.exit_code == kFailed) {
          ++errors;
          BOOST_TEST(result.err.find(told) != std::string::npos);
        }
        const uint32_t said = acknowledged(result);
        expect_sound(said > 0 ? said : before);
        const ProgramResult again = run(command);
        BOOST_TEST(again.exit_code == 0, again.err);
        expect_sound(command == "write" ? acknowledged(again) : before);
      }
    }
    BOOST_TEST(errors > 0);
    BOOST_TEST_MESSAGE(command << ": " << errors << " errors");
  }

  fs::path counted = directory / "calls";
  long every = 8;
  long first = 1;
};

BOOST_FIXTURE_TEST_SUITE(failing_calls, FailingShelf)

BOOST_AUTO_TEST_CASE(a_new_collection_survives_every_failing_call) {
  expect_every_failure_survived("write", false, EIO, "nput/output error");
}

BOOST_AUTO_TEST_CASE(a_collection_survives_every_failing_call) {
  prepare();
  expect_every_failure_survived("write", false, EIO, "nput/output error");
}

BOOST_AUTO_TEST_CASE(a_collection_survives_a_disk_that_is_full_from_any_call_on) {
  prepare();
  expect_every_failure_survived("write", true, ENOSPC, "make room");
}

BOOST_AUTO_TEST_CASE(repair_survives_every_failing_call) {
  prepare();
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.path().filename().string().starts_with("text-")) fs::remove(entry.path());
  }
  // The fault is there before, so what may be left is checked by repairing once more.
  const fs::path original = directory / "original";
  fs::copy(path, original, fs::copy_options::recursive);
  for (long at = first;; at += every) {
    fs::remove_all(path);
    fs::copy(original, path, fs::copy_options::recursive);
    const ProgramResult result = run("repair", {at, false, EIO});
    const auto [made, failed] = calls();
    if (made < at) {
      BOOST_TEST(at > 10);
      break;
    }
    BOOST_TEST_CONTEXT("call " << at << ", " << failed << ": " << result.err) {
      BOOST_TEST((result.exit_code == 0 || result.exit_code == kFailed));
      BOOST_TEST(testing::torn(read()) == "");
      const ProgramResult again = run("repair");
      BOOST_TEST(again.exit_code == 0, again.err);
      expect_sound(static_cast<uint32_t>(read().counts().pictures));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
