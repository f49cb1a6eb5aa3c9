// What is asked follows what was committed, and what cannot be opened is said for as long as it lasts.

#include "query/serve/living_view.h"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "lib/util/error.h"
#include "tests/support/random_collection.h"

namespace zeroshelf::serve {
namespace {

namespace fs = std::filesystem;

struct Living : testing::RandomCollection {
  const fs::path path = directory / "collection";

  void remove(Row row) const {
    Manifest manifest = open().manifest();
    CollectionWriter writer = CollectionWriter::open_or_create(path, manifest);
    Batch removed;
    removed.removed.push_back(row);
    writer.commit(removed);
  }
};

BOOST_FIXTURE_TEST_SUITE(living_view, Living)

BOOST_AUTO_TEST_CASE(a_commit_is_seen_and_those_who_read_keep_their_state) {
  std::atomic<uint64_t> told = 0;
  LivingView living({path}, [&](const SnapshotPointer& newer) { told = newer->serial; });
  const SnapshotPointer before = living.now();
  BOOST_TEST(before->counts.pictures == 600u);
  remove(1);
  living.refresh();
  const SnapshotPointer after = living.now();
  BOOST_TEST(after->counts.pictures == 599u);
  BOOST_TEST(after->serial > before->serial);
  BOOST_TEST(told == after->serial);
  BOOST_TEST(before->view.is_live(1));
  BOOST_TEST(!after->view.is_live(1));
  living.refresh();
  BOOST_TEST(living.now() == after);
}

BOOST_AUTO_TEST_CASE(trouble_ends_when_the_collection_is_as_it_was) {
  LivingView living({path}, [](const SnapshotPointer&) {});
  const SnapshotPointer before = living.now();
  fs::rename(path, directory / "elsewhere");
  living.refresh();
  BOOST_TEST(!living.trouble().empty());
  BOOST_TEST(living.now() == before);
  BOOST_TEST(before->view.record(1).file.path == "/1");
  fs::rename(directory / "elsewhere", path);
  living.refresh();
  BOOST_TEST(living.trouble() == "");
  BOOST_TEST(living.now() == before);
}

BOOST_AUTO_TEST_CASE(trouble_ends_with_a_newer_state) {
  LivingView living({path}, [](const SnapshotPointer&) {});
  fs::rename(path, directory / "elsewhere");
  living.refresh();
  BOOST_TEST(!living.trouble().empty());
  fs::rename(directory / "elsewhere", path);
  remove(1);
  living.refresh();
  BOOST_TEST(living.trouble() == "");
  BOOST_TEST(living.now()->counts.pictures == 599u);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_opened_at_the_start_is_an_error) {
  BOOST_CHECK_THROW(LivingView({directory / "nothing"}, [](const SnapshotPointer&) {}), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf::serve
