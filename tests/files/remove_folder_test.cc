#include "lib/files/remove_folder.h"

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <thread>

#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryDirectory;

BOOST_AUTO_TEST_SUITE(removing_folders)

BOOST_AUTO_TEST_CASE(an_empty_folder_goes_and_a_full_one_stays) {
  const TemporaryDirectory directory;
  fs::create_directory(directory / "empty");
  BOOST_TEST(remove_folder(directory / "empty") == 0);
  BOOST_TEST(!fs::exists(directory / "empty"));
  BOOST_TEST(remove_folder(directory / "empty") == ENOENT);

  fs::create_directory(directory / "full");
  testing::write_file(directory / "full" / ".fuse_hidden01", "");
  testing::write_file(directory / "full" / "somebody's", "");
  BOOST_TEST(remove_folder(directory / "full") == ENOTEMPTY);
  BOOST_TEST(fs::exists(directory / "full" / "somebody's"));
}

BOOST_AUTO_TEST_CASE(what_was_removed_but_is_still_open_elsewhere_is_waited_for) {
  for (const char* name : {".fuse_hidden0000000200000001", ".nfs000000000012"}) {
    const TemporaryDirectory directory;
    const fs::path folder = directory / "folder";
    fs::create_directory(folder);
    testing::write_file(folder / name, "");
    std::thread last_close([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(150));
      fs::remove(folder / name);
    });
    BOOST_TEST(remove_folder(folder) == 0);
    last_close.join();
    BOOST_TEST(!fs::exists(folder));
  }
}

BOOST_AUTO_TEST_CASE(what_stays_open_is_not_waited_for_without_end) {
  const TemporaryDirectory directory;
  fs::create_directory(directory / "folder");
  testing::write_file(directory / "folder" / ".nfs1", "");
  BOOST_TEST(remove_folder(directory / "folder") == ENOTEMPTY);
  BOOST_TEST(fs::exists(directory / "folder" / ".nfs1"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
