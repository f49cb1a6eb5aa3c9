#include "lib/ingest/check_files.h"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <map>
#include <span>

#include "lib/util/hash.h"
#include "tests/support/ordinary_user.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

// Ten files and a collection of them.
struct IndexedFiles {
  IndexedFiles() {
    Manifest manifest;
    manifest.model_fingerprint = "0";
    manifest.dimension = 8;
    CollectionWriter writer = CollectionWriter::open_or_create(directory / "shelf", manifest);
    Batch batch;
    for (int i = 0; i < 10; ++i) {
      const std::string bytes = "picture " + std::to_string(i);
      testing::write_file(at(i), bytes);
      NewPicture picture;
      picture.record.file = {at(i).string(), bytes.size(), 0};
      picture.record.content_hash = content_hash(std::as_bytes(std::span(bytes)));
      picture.image_vector = {1, 0, 0, 0, 0, 0, 0, 0};
      batch.added.push_back(std::move(picture));
    }
    writer.commit(batch);
  }

  fs::path at(int number) const { return directory / std::to_string(number); }

  FileCheck check(unsigned threads = 3) {
    told.clear();
    return check_files(Collection::open(directory / "shelf"), threads, [&](const Fault& fault) {
      told.emplace_back(fs::path(fault.subject).filename().string(), fault.cause);
    });
  }

  testing::TemporaryDirectory directory;
  std::vector<std::pair<std::string, std::string>> told;
};

BOOST_FIXTURE_TEST_SUITE(checking_files, IndexedFiles)

BOOST_AUTO_TEST_CASE(files_that_are_as_they_were_indexed_are_counted_and_not_reported) {
  BOOST_TEST(check().same == 10u);
  BOOST_TEST(told.empty());
}

BOOST_AUTO_TEST_CASE(each_other_file_is_reported_with_its_reason_in_the_order_of_the_rows) {
  fs::remove(at(7));
  testing::write_file(at(2), "picture X");  // the same size
  fs::remove(at(4));
  fs::create_directory(at(4));
  for (const unsigned threads : {1u, 4u}) {
    const FileCheck found = check(threads);
    BOOST_TEST(found.same == 7u);
    BOOST_TEST(found.changed == 1u);
    BOOST_TEST(found.gone + found.unreadable == 2u);
    BOOST_REQUIRE_EQUAL(told.size(), 3u);
    BOOST_TEST(told[0].first == "2");
    BOOST_TEST(told[0].second.find("another content") != std::string::npos);
    BOOST_TEST(told[1].first == "4");
    BOOST_TEST(told[2].first == "7");
    BOOST_TEST(told[2].second.find("gone") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(a_file_that_may_not_be_read_is_neither_gone_nor_changed) {
  fs::permissions(directory / "..", fs::perms::others_exec, fs::perm_options::add);
  fs::permissions(directory.path(), fs::perms::all);
  fs::permissions(at(5), fs::perms::none);
  const Collection collection = Collection::open(directory / "shelf");
  const testing::OrdinaryUser user;
  if (!user.is_ordinary()) {
    BOOST_TEST_MESSAGE("skipped: root's rights cannot be dropped here");
    return;
  }
  const FileCheck found = check_files(collection, 2, [](const Fault&) {});
  BOOST_TEST(found.unreadable == 1u);
  BOOST_TEST(found.same == 9u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
