#include "lib/files/replace_file.h"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <filesystem>

#include "lib/util/file.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

FileLook look(const fs::path& path) {
  FileLook look;
  BOOST_REQUIRE(look_at(Place(path), look) == 0);
  return look;
}

BOOST_AUTO_TEST_SUITE(replace_file)

BOOST_AUTO_TEST_CASE(a_file_takes_the_place_of_the_one_that_was_looked_at) {
  const testing::TemporaryDirectory folder;
  testing::write_file(folder / "a", "old");
  const FileLook was = look(folder / "a");
  BOOST_TEST(was.is_regular);
  FileTraits traits;
  traits.mtime_ns = 1'500'000'000'123'456'789;
  BOOST_TEST(make_file(folder / "new", "new", traits) == 0);
  BOOST_TEST(make_file(folder / "new", "other", traits) == EEXIST);
  BOOST_TEST(sync_file(folder / "new") == 0);
  BOOST_TEST(look(folder / "new").mtime_ns == *traits.mtime_ns);
  BOOST_TEST(put_in_place(folder / "new", folder / "a", was) == 0);
  BOOST_TEST(read_file(folder / "a", 10) == "new");
  BOOST_TEST(!look(folder / "new").is_there);
}

BOOST_AUTO_TEST_CASE(what_changed_meanwhile_stays) {
  const testing::TemporaryDirectory folder;
  testing::write_file(folder / "a", "old");
  const FileLook was = look(folder / "a");
  testing::write_file(folder / "a", "somebody's");
  BOOST_TEST(make_file(folder / "new", "new", {}) == 0);
  BOOST_TEST(put_in_place(folder / "new", folder / "a", was) == ESTALE);
  BOOST_TEST(put_in_place(folder / "new", folder / "a", {}) == EEXIST);
  BOOST_TEST(read_file(folder / "a", 20) == "somebody's");
  fs::remove(folder / "a");
  BOOST_TEST(put_in_place(folder / "new", folder / "a", was) == ESTALE);
  BOOST_TEST(put_in_place(folder / "new", folder / "a", {}) == 0);
  BOOST_TEST(read_file(folder / "a", 20) == "new");
}

BOOST_AUTO_TEST_CASE(links_are_looked_at_and_not_followed) {
  const testing::TemporaryDirectory folder;
  testing::write_file(folder / "a", "old");
  fs::create_symlink(folder / "a", folder / "link");
  BOOST_TEST(look(folder / "link").is_there);
  BOOST_TEST(!look(folder / "link").is_regular);
  BOOST_TEST(make_file(folder / "link", "new", {}) == EEXIST);
  BOOST_TEST(!look(folder / "none").is_there);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
