// What a walk over the files means for a collection; sync_test.cc tries what comes of it.

#include "lib/ingest/plan.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>

#include "lib/util/error.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

struct PlannedFiles {
  PlannedFiles() {
    for (const char* name : {"a.png", "b.png", "sub/c.png"})
      testing::write_file(folder / name, name);
    Manifest manifest;
    manifest.model_fingerprint = "0";
    manifest.dimension = 8;
    writer.emplace(CollectionWriter::open_or_create(directory / "shelf", manifest));
  }

  // Takes up a file as it is now.
  void index(const std::string& name) {
    const FoundFile found = find_file((folder / name).string()).value();
    NewPicture picture;
    picture.record.file = {found.path, found.size_bytes, found.mtime_ns, found.identity};
    picture.record.content_hash[0] = static_cast<uint8_t>(name[0]);
    picture.image_vector = {1, 0, 0, 0, 0, 0, 0, 0};
    Batch batch;
    batch.added.push_back(std::move(picture));
    writer->commit(batch);
  }

  SyncPlan plan() { return make_plan(*writer, {folder}, options); }

  std::string work() {
    std::string names;
    for (const FoundFile& file : plan().work)
      names += fs::path(file.path).lexically_relative(folder).string() + " ";
    return names;
  }

  testing::TemporaryDirectory directory;
  fs::path folder = directory / "pictures";
  std::optional<CollectionWriter> writer;
  PlanOptions options;
};

BOOST_FIXTURE_TEST_SUITE(planning, PlannedFiles)

BOOST_AUTO_TEST_CASE(new_and_changed_files_are_the_work) {
  BOOST_TEST(work() == "a.png b.png sub/c.png ");
  index("a.png");
  index("b.png");
  BOOST_TEST(work() == "sub/c.png ");
  BOOST_TEST(plan().unchanged == 2u);
  testing::write_file(folder / "b.png", "longer than before");
  BOOST_TEST(work() == "b.png sub/c.png ");
}

BOOST_AUTO_TEST_CASE(every_file_is_work_where_none_is_believed) {
  index("a.png");
  options.known_files = KnownFiles::Reread;
  BOOST_TEST(work() == "a.png b.png sub/c.png ");
}

BOOST_AUTO_TEST_CASE(a_file_that_is_being_written_is_neither_work_nor_missing_nor_judged_anew) {
  index("a.png");
  testing::write_file(folder / "a.png", "another content");
  const FoundFile skipped = find_file((folder / "b.png").string()).value();
  Batch batch;
  batch.skipped.push_back({{skipped.path, 1, 1, {}}, {SkipReason::NotAPicture, "no picture"}});
  writer->commit(batch);
  options.is_being_written = [](const FoundFile& file) { return !file.path.ends_with("c.png"); };
  const SyncPlan found = plan();
  BOOST_REQUIRE_EQUAL(found.work.size(), 1u);
  BOOST_TEST(found.work[0].path.ends_with("c.png"));
  BOOST_TEST(found.missing.empty());
  BOOST_TEST(found.forgotten_skips.empty());
  BOOST_TEST(found.unchanged + found.known_skips == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_gone_is_missing_with_its_place) {
  index("a.png");
  index("sub/c.png");
  fs::remove(folder / "a.png");
  const SyncPlan found = plan();
  BOOST_REQUIRE_EQUAL(found.missing.size(), 1u);
  const Row row = found.missing.begin()->second;
  BOOST_TEST(writer->record(row).file.path == (folder / "a.png").string());
  const RootPlace& place = found.places.at(found.place_of.at(row));
  BOOST_TEST(place.path == folder.string());
  BOOST_TEST(place.pictures == 2u);
  BOOST_TEST((place.state == RootPlace::State::There));
}

BOOST_AUTO_TEST_CASE(a_root_that_is_gone_says_so_if_the_collection_knows_it) {
  BOOST_CHECK_THROW(make_plan(*writer, {directory / "none"}, options), Error);
  index("a.png");
  fs::remove_all(folder);
  const SyncPlan found = plan();
  BOOST_TEST(found.missing.size() == 1u);
  BOOST_TEST((found.places.at(0).state == RootPlace::State::Absent));
}

BOOST_AUTO_TEST_CASE(files_outside_of_the_roots_are_not_missing) {
  index("a.png");
  fs::remove(folder / "a.png");
  const SyncPlan found = make_plan(*writer, {folder / "sub"}, options);
  BOOST_TEST(found.missing.empty());
}

BOOST_AUTO_TEST_CASE(what_was_skipped_is_tried_again_when_it_changed_or_is_asked_for) {
  const FoundFile file = find_file((folder / "a.png").string()).value();
  Batch batch;
  batch.skipped.push_back({{file.path, file.size_bytes, file.mtime_ns, file.identity},
                           {SkipReason::NotAPicture, "no picture"}});
  writer->commit(batch);
  BOOST_TEST(work() == "b.png sub/c.png ");
  BOOST_TEST(plan().known_skips == 1u);
  options.is_worth_trying = [](const SkippedFile& skipped) {
    return skipped.skip.reason == SkipReason::NotAPicture;
  };
  BOOST_TEST(work() == "a.png b.png sub/c.png ");
  options.is_worth_trying = {};
  options.known_skips = KnownSkips::TryAgain;
  BOOST_TEST(work() == "a.png b.png sub/c.png ");
  options.known_skips = KnownSkips::PassOver;
  testing::write_file(folder / "a.png", "another size");
  BOOST_TEST(work() == "a.png b.png sub/c.png ");
}

BOOST_AUTO_TEST_CASE(a_skipped_file_that_is_gone_is_forgotten) {
  const FoundFile file = find_file((folder / "a.png").string()).value();
  Batch batch;
  batch.skipped.push_back({{file.path, file.size_bytes, file.mtime_ns, file.identity},
                           {SkipReason::NotAPicture, "no picture"}});
  writer->commit(batch);
  fs::remove(folder / "a.png");
  const SyncPlan found = plan();
  BOOST_REQUIRE_EQUAL(found.forgotten_skips.size(), 1u);
  BOOST_TEST(found.forgotten_skips[0].first == (folder / "a.png").string());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
