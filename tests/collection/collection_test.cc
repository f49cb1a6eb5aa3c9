#include <boost/test/unit_test.hpp>

#include <cmath>
#include <filesystem>

#include "lib/util/error.h"
#include "tests/collection/shelf.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::answers;
using testing::holds;
using testing::picture;
using testing::Shelf;
using testing::stamp;

auto is(ErrorCode code) {
  return [code](const Error& error) { return error.code() == code; };
}

BOOST_FIXTURE_TEST_SUITE(collections, Shelf)

BOOST_AUTO_TEST_CASE(what_is_committed_is_read_back_with_and_without_a_snapshot) {
  {
    CollectionWriter writer = write();
    add(writer, 0, 30);
    BOOST_TEST(holds(writer, "/7", 7));
  }
  const std::string without = answers(read());
  for (uint32_t i = 0; i < 30; ++i) BOOST_TEST(holds(read(), "/" + std::to_string(i), i));
  {
    CollectionWriter writer = write();
    writer.publish_snapshot(SnapshotWhen::Now);
    BOOST_TEST(answers(writer) == without);
    add(writer, 30, 35);  // behind the snapshot
  }
  BOOST_TEST(holds(read(), "/5", 5));
  BOOST_TEST(holds(read(), "/33", 33));
  BOOST_TEST(read().counts().pictures == 35u);
  BOOST_TEST(read().counts().with_text == 12u);
  BOOST_TEST(verify_collection(path).empty());
}

BOOST_AUTO_TEST_CASE(an_empty_collection_is_a_collection) {
  { write(); }
  BOOST_TEST(read().counts().pictures == 0u);
  BOOST_TEST(!read().find_path("/x").has_value());
  BOOST_TEST(verify_collection(path).empty());
}

BOOST_AUTO_TEST_CASE(removed_moved_copied_and_changed_rows) {
  {
    CollectionWriter writer = write();
    add(writer, 0, 10);
    writer.publish_snapshot(SnapshotWhen::Now);
    Batch batch;
    batch.removed = {*writer.find_path("/0"), *writer.find_path("/3")};
    batch.moved = {{*writer.find_path("/1"), stamp("/moved")}};
    batch.copied = {{*writer.find_path("/6"), stamp("/copy")}};
    batch.added = {picture("/2", 200)};  // changed
    writer.commit(batch);
  }
  for (int round = 0; round < 2; ++round) {
    const Collection collection = read();
    BOOST_TEST(!collection.find_path("/0").has_value());
    BOOST_TEST(!collection.find_path("/1").has_value());
    BOOST_TEST(holds(collection, "/moved", 1));
    BOOST_TEST(holds(collection, "/copy", 6));
    BOOST_TEST(holds(collection, "/6", 6));
    BOOST_TEST(holds(collection, "/2", 200));
    BOOST_TEST(collection.counts().pictures == 9u);
    BOOST_TEST(collection.counts().tombstones == 3u);
    BOOST_TEST(verify_collection(path).empty());
    write().publish_snapshot(SnapshotWhen::Now);
  }
  const std::string before = answers(read());
  BOOST_TEST(compact_collection(path) == 3u);
  BOOST_TEST(answers(read()) == before);
  BOOST_TEST(read().counts().tombstones == 0u);
  BOOST_TEST(verify_collection(path).empty());
  BOOST_TEST(compact_collection(path) == 0u);
}

BOOST_AUTO_TEST_CASE(files_exchange_their_names_in_one_batch) {
  CollectionWriter writer = write();
  add(writer, 0, 3);
  Batch moves;
  moves.moved = {{*writer.find_path("/0"), stamp("/1")}, {*writer.find_path("/1"), stamp("/0")}};
  writer.commit(moves);
  BOOST_TEST(holds(writer, "/0", 1));
  BOOST_TEST(holds(writer, "/1", 0));
  Batch copies;
  copies.copied = {{*writer.find_path("/0"), stamp("/1")}, {*writer.find_path("/1"), stamp("/0")}};
  writer.commit(copies);
  BOOST_TEST(holds(writer, "/0", 0));
  BOOST_TEST(holds(writer, "/1", 1));
  BOOST_TEST(writer.counts().pictures == 3u);
  BOOST_TEST(verify_collection(path).empty());
}

BOOST_AUTO_TEST_CASE(a_path_that_stands_twice_in_a_batch_has_one_row) {
  CollectionWriter writer = write();
  Batch batch;
  batch.added = {picture("/a", 1), picture("/a", 2)};
  writer.commit(batch);
  BOOST_TEST(holds(writer, "/a", 2));
  BOOST_TEST(writer.counts().pictures == 1u);
  BOOST_TEST(verify_collection(path).empty());
}

BOOST_AUTO_TEST_CASE(the_ledger_of_skips_follows_the_files) {
  CollectionWriter writer = write();
  add(writer, 0, 2);
  Batch batch;
  batch.skipped = {{stamp("/0"), {SkipReason::Damaged, "broken now"}},
                   {stamp("/bad"), {SkipReason::Empty, "empty"}}};
  writer.commit(batch);
  BOOST_TEST(!writer.find_path("/0").has_value());
  BOOST_TEST(writer.counts().skips == 2u);
  BOOST_TEST((writer.find_skip("/bad")->skip.reason == SkipReason::Empty));
  Batch mended;
  mended.added = {picture("/0", 5)};
  mended.forgotten_skips = {"/bad", "/never there"};
  writer.commit(mended);
  BOOST_TEST(writer.counts().skips == 0u);
  BOOST_TEST(holds(writer, "/0", 5));
  BOOST_TEST(verify_collection(path).empty());
}

BOOST_AUTO_TEST_CASE(paths_of_any_bytes_are_kept) {
  CollectionWriter writer = write();
  const std::vector<std::string> odd = {"/a b",
                                        "/line\nbreak",
                                        "/\xff\xfe",
                                        "/\"quote\"",
                                        std::string("/") + std::string(3000, 'x'),
                                        "/\xd7\xa9\xd7\x9c"};
  Batch batch;
  for (uint32_t i = 0; i < odd.size(); ++i) batch.added.push_back(picture(odd[i], i));
  writer.commit(batch);
  for (uint32_t i = 0; i < odd.size(); ++i) BOOST_TEST(holds(read(), odd[i], i));
}

BOOST_AUTO_TEST_CASE(bad_vectors_are_refused_and_nothing_is_written) {
  CollectionWriter writer = write();
  add(writer, 0, 3);
  const std::string before = answers(writer);
  for (int kind = 0; kind < 4; ++kind) {
    NewPicture bad = picture("/bad", 3);
    if (kind == 0) bad.image_vector[0] = NAN;
    if (kind == 1) bad.image_vector.pop_back();
    if (kind == 2) bad.text_vector.clear();  // words without a vector
    if (kind == 3) bad.image_vector.assign(testing::kDimension, 0);
    Batch batch;
    batch.added = {picture("/good", 4), bad};
    BOOST_CHECK_EXCEPTION(writer.commit(batch), Error, is(ErrorCode::InvalidArgument));
  }
  Batch dead;
  dead.removed = {77};
  BOOST_CHECK_EXCEPTION(writer.commit(dead), Error, is(ErrorCode::InvalidArgument));
  BOOST_TEST(answers(writer) == before);
  BOOST_TEST(answers(read()) == before);
  add(writer, 3, 4);
  BOOST_TEST(holds(read(), "/3", 3));
}

BOOST_AUTO_TEST_CASE(another_model_is_refused_and_nothing_changed) {
  {
    CollectionWriter writer = write();
    add(writer, 0, 3);
  }
  const auto before = testing::files_of(path);
  for (const Manifest& other :
       {testing::test_manifest("other"), testing::test_manifest("test", 32)}) {
    BOOST_CHECK_EXCEPTION(CollectionWriter::open_or_create(path, other), Error,
                          is(ErrorCode::Incompatible));
  }
  BOOST_TEST((testing::files_of(path) == before));
}

BOOST_AUTO_TEST_CASE(what_is_no_collection_is_refused_and_nothing_changed) {
  testing::write_file(directory / "file", "x");
  testing::write_file(directory / "folder" / "photo.jpg", "x");
  fs::create_directory(directory / "empty");
  BOOST_CHECK_EXCEPTION(Collection::open(directory / "none"), Error, is(ErrorCode::NotFound));
  for (const char* name : {"file", "folder"}) {
    BOOST_CHECK_EXCEPTION(Collection::open(directory / name), Error,
                          is(ErrorCode::InvalidArgument));
    BOOST_CHECK_EXCEPTION(
        CollectionWriter::open_or_create(directory / name, testing::test_manifest()), Error,
        is(ErrorCode::InvalidArgument));
  }
  BOOST_CHECK_EXCEPTION(Collection::open(directory / "empty"), Error,
                        is(ErrorCode::InvalidArgument));
  BOOST_TEST(testing::files_of(directory.path()).size() == 2u);
  BOOST_TEST(CollectionWriter::open_or_create(directory / "empty", testing::test_manifest())
                 .counts()
                 .pictures == 0u);
}

BOOST_AUTO_TEST_CASE(a_creation_cut_short_is_done_again_and_a_lost_manifest_is_not_taken_for_one) {
  { write(); }
  fs::remove(path / "MANIFEST.json");
  { write(); }
  fs::remove(path / "MANIFEST.json");
  fs::remove(path / "CURRENT");
  {
    CollectionWriter writer = write();
    add(writer, 0, 3);
  }
  fs::remove(path / "MANIFEST.json");
  BOOST_CHECK_THROW(write(), Error);
  repair_collection(path);
  BOOST_TEST(holds(write(), "/2", 2));
}

BOOST_AUTO_TEST_CASE(a_second_writer_is_told_who_holds_the_collection) {
  const CollectionWriter writer = write();
  BOOST_CHECK_EXCEPTION(write(), Error, [](const Error& error) {
    return error.code() == ErrorCode::Unavailable &&
           error.cause().find("process ") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(a_reader_beside_a_writer_sees_commits_and_writes_nothing) {
  CollectionWriter writer = write();
  add(writer, 0, 5);
  const auto files = testing::files_of(path);
  const Collection early = read();
  BOOST_TEST(verify_collection(path).empty());
  BOOST_TEST((testing::files_of(path) == files));
  add(writer, 5, 9);
  writer.publish_snapshot(SnapshotWhen::Now);
  BOOST_TEST(writer.compact() == 0u);
  BOOST_TEST(early.counts().pictures == 5u);
  BOOST_TEST(holds(early, "/3", 3));
  BOOST_TEST(!early.find_path("/7").has_value());
  BOOST_TEST(holds(read(), "/7", 7));
}

BOOST_AUTO_TEST_CASE(text_evidence_and_means_are_the_same_from_snapshot_replay_and_compaction) {
  using testing::kDimension;
  const Shelf shelf;
  const auto expect = [&](const Collection& collection, size_t texts) {
    BOOST_REQUIRE_EQUAL(collection.text_evidence().size(), texts);
    std::vector<double> mean(kDimension);
    std::vector<float> values(kDimension);
    size_t live = 0;
    for (size_t i = 0; i < collection.text_owners().size(); ++i) {
      const Row row = collection.text_owners()[i];
      if (!collection.is_live(row)) continue;
      const PictureRecord record = collection.record(row);
      BOOST_TEST(collection.text_evidence()[i].word_count == record.word_count);
      BOOST_TEST(collection.text_evidence()[i].confidence == record.text_confidence);
      from_fp16(collection.text_vectors().row(i), values);
      for (size_t j = 0; j < kDimension; ++j) mean[j] += static_cast<double>(values[j]);
      ++live;
    }
    for (size_t j = 0; j < kDimension; ++j) {
      BOOST_TEST(std::abs(collection.text_sum().mean()[j] - mean[j] / static_cast<double>(live)) <
                 1e-6);
    }
  };
  CollectionWriter writer = shelf.write();
  Shelf::add(writer, 0, 30);
  writer.publish_snapshot(SnapshotWhen::Now);
  expect(shelf.read(), 10);
  Shelf::add(writer, 30, 36);
  Batch batch;
  batch.removed = {0, 1, 30};
  writer.commit(batch);
  expect(writer, 12);
  expect(shelf.read(), 11);  // row 30 never lived for who opens now
  BOOST_TEST((shelf.read().image_sum().mean() == writer.image_sum().mean()));
  writer.compact();
  expect(writer, 10);
  expect(shelf.read(), 10);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
