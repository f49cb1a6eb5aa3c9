// What is kept beside the records: it comes back as it was, or not at all.

#include "lib/collection/attachments.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "lib/collection/collection.h"
#include "lib/files/new_file.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "tests/collection/shelf.h"
#include "tests/support/checks.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::is_corruption;

void flip_last_bit(const fs::path& path) {
  std::string bytes = read_file(path, 1 << 20);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_file_atomically(path, bytes);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attachments)

BOOST_AUTO_TEST_CASE(what_was_put_comes_back) {
  const testing::TemporaryDirectory directory;
  const Attachments attachments(directory.path());
  BOOST_TEST(!attachments.get("runs", "first").has_value());
  BOOST_TEST(attachments.names("runs").empty());
  const std::string content("a\0b", 3);
  attachments.put("runs", "first", content);
  attachments.put("runs", "empty", "");
  BOOST_TEST(*attachments.get("runs", "first") == content);
  BOOST_TEST(attachments.get("runs", "empty")->empty());
  attachments.put("runs", "first", "other");
  BOOST_TEST(*attachments.get("runs", "first") == "other");
  BOOST_TEST(attachments.names("runs") == (std::vector<std::string>{"empty", "first"}),
             boost::test_tools::per_element());
  BOOST_TEST(attachments.remove("runs", "first"));
  BOOST_TEST(!attachments.remove("runs", "first"));
  BOOST_TEST(!attachments.get("runs", "first").has_value());
}

BOOST_AUTO_TEST_CASE(a_damaged_or_moved_one_is_refused) {
  const testing::TemporaryDirectory directory;
  const Attachments attachments(directory.path());
  attachments.put("runs", "a", "content");
  const fs::path folder = directory.path() / "attachments" / "runs";
  fs::copy_file(folder / "a", folder / "b");
  BOOST_CHECK_EXCEPTION(attachments.get("runs", "b"), Error, is_corruption);
  flip_last_bit(folder / "a");
  BOOST_CHECK_EXCEPTION(attachments.get("runs", "a"), Error, is_corruption);
  write_file_atomically(folder / "a", "zs");
  BOOST_CHECK_EXCEPTION(attachments.get("runs", "a"), Error, is_corruption);
}

BOOST_AUTO_TEST_CASE(names_that_could_leave_the_folder_are_refused) {
  for (const std::string& name : std::vector<std::string>{
           "", ".", "..", "a/b", "a b", "a\n", ".hidden", "x.new", "ä", std::string(101, 'a')})
    BOOST_CHECK_THROW(Attachments::check_name("--save", name), Error);
  BOOST_CHECK_NO_THROW(Attachments::check_name("--save", "Run_2.of-3"));
}

BOOST_AUTO_TEST_CASE(writers_of_one_name_do_not_mix) {
  const testing::TemporaryDirectory directory;
  const auto put_many = [&](char letter) {
    const Attachments attachments(directory.path());
    for (int i = 0; i < 30; ++i) attachments.put("prompts", "p", std::string(100'000, letter));
  };
  std::thread one(put_many, 'a');
  std::thread two(put_many, 'b');
  one.join();
  two.join();
  const std::string content = *Attachments(directory.path()).get("prompts", "p");
  BOOST_TEST(content == std::string(100'000, content[0]));
}

BOOST_AUTO_TEST_CASE(verify_names_a_damaged_one_and_repair_puts_it_aside) {
  const testing::TemporaryDirectory directory;
  const fs::path path = directory / "collection";
  {
    CollectionWriter writer = CollectionWriter::open_or_create(path, testing::test_manifest());
    testing::Shelf::add(writer, 0, 3);
  }
  const Attachments attachments(path);
  attachments.put("runs", "good", "content");
  attachments.put("runs", "bad", "content");
  BOOST_TEST(verify_collection(path).empty());
  flip_last_bit(path / "attachments" / "runs" / "bad");
  const std::vector<Fault> faults = verify_collection(path);
  BOOST_REQUIRE_EQUAL(faults.size(), 1u);
  BOOST_TEST(faults[0].subject == "runs/bad");
  const std::string damaged = read_file(path / "attachments" / "runs" / "bad", 100);
  BOOST_TEST(repair_collection(path).lost.size() == 1u);
  BOOST_TEST(verify_collection(path).empty());
  BOOST_TEST(attachments.get("runs", "good").has_value());
  BOOST_TEST(!attachments.get("runs", "bad").has_value());
  BOOST_TEST(attachments.names("runs").size() == 1u);
  BOOST_TEST(read_file(path / "attachments" / "runs" / "bad.damaged", 100) == damaged);

  // Two of a name, and one that is no attachment.
  attachments.put("runs", "bad", "content");
  flip_last_bit(path / "attachments" / "runs" / "bad");
  testing::write_file(path / "attachments" / "runs" / "notes", "mine");
  BOOST_TEST(repair_collection(path).lost.size() == 2u);
  BOOST_TEST(read_file(path / "attachments" / "runs" / "bad.damaged", 100) == damaged);
  BOOST_TEST(read_file(path / "attachments" / "runs" / "bad.2.damaged", 100) == damaged);
  BOOST_TEST(read_file(path / "attachments" / "runs" / "notes", 100) == "mine");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf
