#include "lib/files/exclusive.h"

#include <sys/stat.h>

#include <boost/test/unit_test.hpp>

#include <cerrno>

#include "lib/util/file.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryDirectory;

BOOST_AUTO_TEST_SUITE(exclusive)

BOOST_AUTO_TEST_CASE(nothing_takes_the_place_of_what_is_there) {
  const TemporaryDirectory directory;
  testing::write_file(directory / "a", "new");
  testing::write_file(directory / "file", "kept");
  fs::create_symlink("nowhere", directory / "link");
  for (const char* name : {"file", "link"}) {
    BOOST_TEST(rename_exclusively(directory / "a", directory / name) == EEXIST);
    BOOST_TEST(copy_exclusively(directory / "a", directory / name) == EEXIST);
    BOOST_TEST(move_exclusively(directory / "a", directory / name, directory / "partial") ==
               EEXIST);
  }
  BOOST_TEST(read_file(directory / "a", 100) == "new");
  BOOST_TEST(read_file(directory / "file", 100) == "kept");
  BOOST_TEST(fs::read_symlink(directory / "link") == "nowhere");
}

BOOST_AUTO_TEST_CASE(a_copy_has_the_bytes_the_permissions_and_the_time) {
  const TemporaryDirectory directory;
  const std::string bytes(1'000'000, 'x');
  testing::write_file(directory / "a", bytes);
  const auto time = fs::last_write_time(directory / "a") - std::chrono::hours(1000);
  fs::last_write_time(directory / "a", time);
  fs::permissions(directory / "a", fs::perms::owner_read);
  BOOST_TEST(copy_exclusively(directory / "a", directory / "b", CopyWhen::Durable) == 0);
  BOOST_TEST(read_file(directory / "b", 1 << 21) == bytes);
  BOOST_TEST((fs::last_write_time(directory / "b") == time));
  BOOST_TEST((fs::status(directory / "b").permissions() == fs::perms::owner_read));
}

BOOST_AUTO_TEST_CASE(what_is_no_file_is_not_copied) {
  const TemporaryDirectory directory;
  BOOST_TEST(::mkfifo((directory / "fifo").c_str(), 0600) == 0);
  BOOST_TEST(copy_exclusively(directory / "fifo", directory / "b") == EINVAL);
  BOOST_TEST(copy_exclusively(directory / "none", directory / "b") == ENOENT);
  BOOST_TEST(!fs::exists(directory / "b"));
}

BOOST_AUTO_TEST_CASE(content_is_compared_to_the_last_byte) {
  const TemporaryDirectory directory;
  testing::write_file(directory / "a", std::string(600'000, 'x') + "1");
  testing::write_file(directory / "b", std::string(600'000, 'x') + "1");
  testing::write_file(directory / "c", std::string(600'000, 'x') + "2");
  BOOST_TEST(have_same_content(directory / "a", directory / "b"));
  BOOST_TEST(!have_same_content(directory / "a", directory / "c"));
  BOOST_TEST(!have_same_content(directory / "a", directory / "none"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
