// Who else may write to an export's folder; and links and folders that somebody put in the way.

#include "lib/export/open_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "lib/util/error.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryDirectory;

bool is_refused(const Error& error) {
  return error.code() == ErrorCode::InvalidArgument;
}

void give(const fs::path& path, mode_t mode) {
  BOOST_REQUIRE(::chmod(path.c_str(), mode) == 0);
}

BOOST_AUTO_TEST_SUITE(open_folder)

BOOST_AUTO_TEST_CASE(a_folder_that_every_user_may_write_to_is_refused) {
  const TemporaryDirectory directory;
  fs::create_directory(directory / "open");
  for (const mode_t mode : {0777, 01777, 0702}) {
    give(directory / "open", mode);
    BOOST_CHECK_EXCEPTION(check_export_folder(directory / "open"), Error, is_refused);
    BOOST_CHECK_EXCEPTION(open_export_folder(directory / "open"), Error, is_refused);
  }
  give(directory / "open", 0755);
  BOOST_TEST(open_export_folder(directory / "open").is_open());
}

BOOST_AUTO_TEST_CASE(a_new_folder_is_nobody_elses_whatever_the_umask) {
  const TemporaryDirectory directory;
  const mode_t before = ::umask(0);
  const Descriptor folder = open_export_folder(directory / "a" / "b");
  const Descriptor inner = make_folder({folder.get(), "cat"}, "cat");
  ::umask(before);
  struct stat status {};
  for (const Descriptor* one : {&folder, &inner}) {
    BOOST_TEST(::fstat(one->get(), &status) == 0);
    BOOST_TEST((status.st_mode & S_IWOTH) == 0u);
  }
}

BOOST_AUTO_TEST_CASE(who_else_may_write_is_told) {
  const TemporaryDirectory directory;
  fs::create_directories(directory / "outer" / "inner");
  give(directory / "outer", 0755);
  give(directory / "outer" / "inner", 0755);
  BOOST_TEST(exposure_of(directory / "outer" / "inner") == "");
  give(directory / "outer", 0777);
  BOOST_TEST(exposure_of(directory / "outer" / "inner") ==
             "every user may write to the folder that it is in");
  give(directory / "outer", 01777);
  BOOST_TEST(exposure_of(directory / "outer" / "inner") == "");
  if (::geteuid() != 0) return;
  constexpr gid_t kSomeGroup = 12'345;
  constexpr uid_t kSomebody = 12'345;
  BOOST_REQUIRE(::chown((directory / "outer" / "inner").c_str(), 0, kSomeGroup) == 0);
  give(directory / "outer" / "inner", 0775);
  BOOST_TEST(exposure_of(directory / "outer" / "inner") == "its group may write to it (12345)");
  BOOST_REQUIRE(::chown((directory / "outer" / "inner").c_str(), kSomebody, 0) == 0);
  BOOST_TEST(exposure_of(directory / "outer" / "inner") == "it is another user's (12345)");
}

BOOST_AUTO_TEST_CASE(links_files_and_folders_of_others_are_not_entered) {
  const TemporaryDirectory directory;
  const Descriptor folder = open_export_folder(directory / "out");
  fs::create_directory(directory / "theirs");
  fs::create_directory_symlink(directory / "theirs", directory / "out" / "link");
  testing::write_file(directory / "out" / "file", "");
  fs::create_directory(directory / "out" / "open");
  give(directory / "out" / "open", 0777);
  for (const char* name : {"link", "file", "open"})
    BOOST_CHECK_EXCEPTION(make_folder({folder.get(), name}, name), Error, is_refused);
  fs::create_directory(directory / "out" / "mine");
  BOOST_TEST(make_folder({folder.get(), "mine"}, "mine").is_open());
  if (::geteuid() != 0) return;
  fs::create_directory(directory / "out" / "theirs");
  BOOST_REQUIRE(::chown((directory / "out" / "theirs").c_str(), 12'345, 12'345) == 0);
  BOOST_CHECK_EXCEPTION(make_folder({folder.get(), "theirs"}, "theirs"), Error, is_refused);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
