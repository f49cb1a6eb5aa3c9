// What people keep in a collection's folder survives whatever a writer does there, byte for byte;
// what killed writers have left there goes.

#include "lib/collection/own_files.h"

#include <sys/stat.h>
#include <sys/un.h>

#include <boost/test/unit_test.hpp>

#include "lib/collection/attachments.h"
#include "lib/collection/foreign.h"
#include "lib/collection/state.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "tests/collection/shelf.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::Shelf;

// Every entry's kind, its bytes or where it leads.
std::map<std::string, std::string> told(const fs::path& path) {
  std::map<std::string, std::string> result;
  const auto tell = [&](const fs::path& one) {
    const fs::file_type type = fs::symlink_status(one).type();
    std::string& text = result[one.string()];
    if (type == fs::file_type::regular) text = "file " + read_file(one, 1 << 24);
    if (type == fs::file_type::symlink) text = "link " + fs::read_symlink(one).string();
    if (type == fs::file_type::directory) text = "folder";
    if (type == fs::file_type::fifo) text = "pipe";
  };
  tell(path);
  if (!fs::is_symlink(path) && fs::is_directory(path)) {
    for (const auto& entry : fs::recursive_directory_iterator(path)) tell(entry.path());
  }
  return result;
}

struct PlantedShelf : Shelf {
  PlantedShelf() {
    CollectionWriter writer = write();
    add(writer, 0, 20);
    writer.publish_snapshot(SnapshotWhen::Now);
    Attachments(path).put("runs", "monday", "a run");
  }

  void file(const std::string& name, const std::string& content = "somebody's") {
    testing::write_file(path / name, content);
    planted.push_back(name);
  }
  void folder(const std::string& name) {
    testing::write_file(path / name / "a.jpg", "a picture");
    testing::write_file(path / name / "000007.sst", "somebody's table");
    planted.push_back(name);
  }
  void copy(const std::string& of, const std::string& name) {
    fs::copy(path / of, path / name, fs::copy_options::recursive);
    planted.push_back(name);
  }

  // Things of every kind, and names as near to the collection's own as there are.
  void plant() {
    const std::string snapshot = std::to_string(read().counts().commits);
    for (const char* name : {"notes.txt",
                             ".hidden",
                             "CURRENT.bak",
                             "CURRENT.new",
                             "CURRENT~",
                             "CURRENT.json",
                             "MANIFEST.json.new",
                             "MANIFEST.json.old",
                             "MANIFEST-000004",
                             "LOCK.txt",
                             "LOG",
                             "image-1-99.faiss",
                             "image-1-99.faiss.new",
                             "text-1-0.faiss",
                             "rows-1-99",
                             "rows-01-1",
                             "rows-1-1.bak",
                             "lexicon-1-99",
                             "ivf-image-1-99",
                             "ivf-text-1-99",
                             "image-1.faiss",
                             "rows-99999999999999999999-1",
                             "records-77",
                             "records-1.tar",
                             "attachments.zip",
                             "CURRENT.0123456789abcdef.new",
                             "rows-1-99.0123456789abcdef.new",
                             "image-1-99.faiss.0123456789abcdef.new",
                             "attachments/notes",
                             "attachments/runs/mine",
                             "attachments/runs/monday.new",
                             "records-1/notes.txt"})
      file(name);
    // Where the next snapshots and the next epoch would go.
    for (int next = 1; next <= 6; ++next) {
      const std::string number = std::to_string(std::stoi(snapshot) + next);
      file("image-1-" + number + ".faiss");
      folder("rows-1-" + number);
      file("lexicon-2-" + number);
    }
    for (const char* name :
         {"records-2", "records-3", "records-0", "records-01", "records-1.old", "records-new",
          "records", "sorted", "image-1-50.faiss", "attachments/sorted", "lost"})
      folder(name);
    fs::create_directory(path / "records-4");
    fs::create_directory_symlink(path / "sorted", path / "records-5");
    fs::create_symlink(path / "notes.txt", path / "rows-1-98");
    fs::create_symlink("nowhere", path / "MANIFEST.json.0123456789abcdef.new");
    BOOST_TEST(::mkfifo((path / "lexicon-1-98").c_str(), 0600) == 0);
    for (const char* name : {"records-4", "records-5", "rows-1-98",
                             "MANIFEST.json.0123456789abcdef.new", "lexicon-1-98"})
      planted.emplace_back(name);
    // Copies of the collection's own.
    copy("CURRENT", "CURRENT.copy");
    copy("CURRENT", "CURRENT.saved.new");
    copy("MANIFEST.json", "MANIFEST.json.saved");
    copy("records-1", "records-9");
    copy("records-1", "records-1 (copy)");
    copy("attachments/runs/monday", "attachments/runs/tuesday.bak.new");
    for (const std::string& name : planted) {
      const auto of_one = told(path / name);
      before.insert(of_one.begin(), of_one.end());
    }
  }

  void expect_all_there(const std::string& after) const {
    for (const auto& [one, content] : before) {
      const auto now = told(one);
      const auto found = now.find(one);
      BOOST_TEST_CONTEXT(one << " after " << after)
      BOOST_TEST((found != now.end() && found->second == content));
    }
  }

  std::vector<std::string> planted;
  std::map<std::string, std::string> before;
};

BOOST_FIXTURE_TEST_SUITE(own_files, PlantedShelf)

BOOST_AUTO_TEST_CASE(what_others_put_into_the_folder_stays_whatever_a_writer_does) {
  plant();
  {
    CollectionWriter writer = CollectionWriter::open_existing(path);
    expect_all_there("opening");
    add(writer, 20, 30);
    writer.publish_snapshot(SnapshotWhen::Now);
    expect_all_there("a snapshot");
    writer.publish_snapshot(SnapshotWhen::Now);
    expect_all_there("a snapshot without changes");
    Batch batch;
    batch.removed = {0, 1, 2};
    writer.commit(batch);
    BOOST_TEST(writer.compact() == 3u);
    expect_all_there("compaction");
    add(writer, 30, 40);
    writer.publish_snapshot(SnapshotWhen::Now);
  }
  expect_all_there("closing");
  Attachments(path).put("runs", "monday", "another run");
  expect_all_there("an attachment");
  repair_collection(path);
  expect_all_there("repair");
  fs::remove(path / "CURRENT");
  BOOST_TEST(!repair_collection(path).mended.empty());
  expect_all_there("repair without CURRENT");
  BOOST_TEST(testing::holds(read(), "/39", 39));
  BOOST_TEST(read().counts().pictures == 37u);

  // Every one of them is named, and nothing of the collection's.
  const std::vector<std::string> named = foreign_names(path);
  for (const std::string& name : planted) {
    if (name.find('/') == std::string::npos)
      BOOST_TEST((std::ranges::find(named, name) != named.end()), name);
  }
  BOOST_TEST(
      named.size() ==
      static_cast<size_t>(std::ranges::count_if(
          planted, [](const std::string& name) { return name.find('/') == std::string::npos; })) +
          1);  // records-1, for the notes in it
}

BOOST_AUTO_TEST_CASE(what_a_killed_writer_has_left_goes_with_the_next) {
  const layout::Current current = layout::read_current(path);
  const std::string owner = layout::records_owner(testing::test_manifest());
  const uint64_t generation = *current.snapshot_generation;
  const auto snapshot = [&](const char* kind, uint64_t number) {
    return layout::snapshot_file(path, kind, 1, number);
  };
  // A snapshot that CURRENT did not get to name, and one that was being written.
  for (const char* kind : {"image", "text", "rows"})
    fs::copy(snapshot(kind, generation), snapshot(kind, generation + 3));
  write_lexicon(path, current, Store(path / "records-1", Store::Access::ReadOnly), 20,
                generation + 3);
  const std::string half = read_file(snapshot("image", generation), 1 << 20).substr(0, 100);
  testing::write_file(path / "image-1-9.faiss.00000000000000ab.new", half);
  testing::write_file(path / "CURRENT.00000000000000ab.new",
                      read_file(path / "CURRENT", 1 << 20).substr(0, 50));
  // A compaction, begun and nearly ended.
  layout::make_records_directory(path, 2, owner);
  layout::make_records_directory(path, 3, owner);
  fs::copy(path / "records-1", path / "records-3",
           fs::copy_options::recursive | fs::copy_options::skip_existing);
  BOOST_TEST(foreign_names(path).empty());
  BOOST_TEST(fs::exists(path / "records-3" / "CURRENT"));
  CollectionWriter::open_existing(path);
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator(path)) left.push_back(entry.path().filename());
  std::ranges::sort(left);
  const std::string number = std::to_string(generation);
  const std::vector<std::string> wanted = {"CURRENT",
                                           "LOCK",
                                           "MANIFEST.json",
                                           "attachments",
                                           "image-1-" + number + ".faiss",
                                           "lexicon-1-" + number,
                                           "records-1",
                                           "rows-1-" + number,
                                           "text-1-" + number + ".faiss"};
  BOOST_TEST(left == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(records_of_an_earlier_version_have_no_mark_and_are_compacted_all_the_same) {
  fs::remove(path / "records-1" / layout::kRecordsMarkFile);
  {
    CollectionWriter writer = CollectionWriter::open_existing(path);
    Batch batch;
    batch.removed = {0};
    writer.commit(batch);
    BOOST_TEST(writer.compact() == 1u);
  }
  BOOST_TEST(!fs::exists(path / "records-1"));
  BOOST_TEST(foreign_names(path).empty());
  BOOST_TEST(verify_collection(path).empty());
}

BOOST_AUTO_TEST_CASE(a_folder_with_somebodys_records_is_not_taken_for_a_creation_cut_short) {
  const fs::path other = directory / "other";
  testing::write_file(other / "records-1" / "a.jpg", "a picture");
  testing::write_file(other / "records-2024" / "a.jpg", "a picture");
  const auto files = testing::files_of(other);
  BOOST_CHECK_THROW(CollectionWriter::open_or_create(other, testing::test_manifest()), Error);
  BOOST_TEST((testing::files_of(other) == files));

  testing::write_file(other / "LOCK", "");  // as a creation begins
  {
    CollectionWriter writer = CollectionWriter::open_or_create(other, testing::test_manifest());
    add(writer, 0, 3);
  }
  BOOST_TEST(read_file(other / "records-1" / "a.jpg", 100) == "a picture");
  BOOST_TEST(read_file(other / "records-2024" / "a.jpg", 100) == "a picture");
  BOOST_TEST(verify_collection(other).empty());
}

BOOST_AUTO_TEST_CASE(a_lock_that_is_no_lock_is_neither_followed_nor_emptied) {
  testing::write_file(directory / "diary", "dear diary");
  fs::remove(path / "LOCK");
  fs::create_symlink(directory / "diary", path / "LOCK");
  BOOST_CHECK_THROW(CollectionWriter::open_existing(path), Error);
  BOOST_TEST(read_file(directory / "diary", 100) == "dear diary");
  fs::remove(path / "LOCK");
  testing::write_file(path / "LOCK", "my lock");
  BOOST_CHECK_THROW(repair_collection(path), Error);
  BOOST_TEST(read_file(path / "LOCK", 100) == "my lock");
}

BOOST_AUTO_TEST_CASE(a_path_in_a_collection_is_told_whatever_leads_there) {
  fs::create_directory_symlink(path, directory / "link");
  testing::write_file(directory / "beside" / "MANIFEST.json", "{}");
  const fs::path canonical = fs::canonical(path);
  BOOST_TEST(collection_around(path) == canonical);
  BOOST_TEST(collection_around(path / "new" / "sorted") == canonical);
  BOOST_TEST(collection_around(directory / "link" / "new") == canonical);
  BOOST_TEST(collection_around(path / ".." / "collection" / "x") == canonical);
  BOOST_TEST(collection_around(path / ".." / "x") == fs::path());
  BOOST_TEST(collection_around(directory / "collection2") == fs::path());
  BOOST_TEST(collection_around(directory / "beside" / "x") == fs::path());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
