#include "lib/files/new_file.h"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryDirectory;

long entries(const TemporaryDirectory& directory) {
  return std::distance(fs::directory_iterator(directory.path()), {});
}

void check_refused(const fs::path& path, ErrorCode code) {
  const auto has_code = [code](const Error& error) { return error.code() == code; };
  BOOST_CHECK_EXCEPTION(NewFile::check(path), Error, has_code);
  BOOST_CHECK_EXCEPTION(NewFile file(path), Error, has_code);
}

BOOST_AUTO_TEST_SUITE(new_file)

BOOST_AUTO_TEST_CASE(it_appears_when_published_and_not_before) {
  const TemporaryDirectory directory;
  {
    NewFile file(directory / "a");
    file.write("one ");
    file.write("two");
    BOOST_TEST(!fs::exists(directory / "a"));
    file.publish();
  }
  BOOST_TEST(read_file(directory / "a", 100) == "one two");
  BOOST_TEST(entries(directory) == 1);
}

BOOST_AUTO_TEST_CASE(a_complete_one_lacks_its_name_alone) {
  const TemporaryDirectory directory;
  NewFile file(directory / "a");
  file.write("all");
  file.complete();
  BOOST_TEST(read_file(directory / "a.unfinished", 100) == "all");
  BOOST_TEST(!fs::exists(directory / "a"));
  file.publish();
  BOOST_TEST(read_file(directory / "a", 100) == "all");
  BOOST_TEST(entries(directory) == 1);
}

BOOST_AUTO_TEST_CASE(one_that_is_not_published_leaves_nothing) {
  const TemporaryDirectory directory;
  { NewFile(directory / "a").write("lost"); }
  BOOST_TEST(entries(directory) == 0);
}

BOOST_AUTO_TEST_CASE(what_exists_is_refused) {
  const TemporaryDirectory directory;
  testing::write_file(directory / "file", "kept");
  fs::create_directory(directory / "folder");
  fs::create_symlink(directory / "nowhere", directory / "link");
  for (const char* name : {"file", "folder", "link", "folder/"}) {
    check_refused(directory / name, ErrorCode::InvalidArgument);
  }
  check_refused(directory / "none" / "a", ErrorCode::NotFound);
  check_refused(directory / "file" / "a", ErrorCode::InvalidArgument);  // no folder to make
  BOOST_TEST(read_file(directory / "file", 100) == "kept");
  BOOST_TEST(entries(directory) == 3);
}

BOOST_AUTO_TEST_CASE(what_took_the_name_meanwhile_is_kept) {
  const TemporaryDirectory directory;
  {
    NewFile file(directory / "a");
    file.write("late");
    testing::write_file(directory / "a", "kept");
    BOOST_CHECK_THROW(file.publish(), Error);
  }
  BOOST_TEST(read_file(directory / "a", 100) == "kept");
  BOOST_TEST(entries(directory) == 1);
}

BOOST_AUTO_TEST_CASE(an_unfinished_file_of_another_run_is_not_touched) {
  const TemporaryDirectory directory;
  testing::write_file(directory / "a.unfinished", "kept");
  NewFile one(directory / "a");
  one.write("one");
  one.publish();
  BOOST_TEST(read_file(directory / "a", 100) == "one");
  BOOST_TEST(read_file(directory / "a.unfinished", 100) == "kept");
}

BOOST_AUTO_TEST_CASE(a_replaced_file_has_the_old_content_or_the_new) {
  const TemporaryDirectory directory;
  write_file_atomically(directory / "a", "old");
  {
    NewFile file(directory / "a", Existing::Replace);
    file.write("lost");
  }
  BOOST_TEST(read_file(directory / "a", 100) == "old");
  write_file_atomically(directory / "a", "new");
  BOOST_TEST(read_file(directory / "a", 100) == "new");
  BOOST_TEST(entries(directory) == 1);
}

BOOST_AUTO_TEST_CASE(the_beginning_may_be_told_at_the_end) {
  const TemporaryDirectory directory;
  const std::string large(200'000, 'x');
  NewFile file(directory / "a");
  file.write("0000");
  file.write(large);
  file.rewrite_beginning("1234");
  file.write("end");
  file.publish();
  BOOST_TEST((read_file(directory / "a", 1 << 20) == "1234" + large + "end"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
