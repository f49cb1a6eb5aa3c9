#include "lib/files/disk.h"

#include <fcntl.h>

#include <boost/test/unit_test.hpp>

#include <filesystem>

#include "lib/files/descriptor.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(disk)

BOOST_AUTO_TEST_CASE(a_common_file_system_can_do_everything_and_keeps_nothing_of_the_trial) {
  const testing::TemporaryDirectory directory;
  const Descriptor folder(::open(directory.path().c_str(), O_RDONLY | O_DIRECTORY));
  const DiskAbilities abilities = try_disk(folder.get());
  BOOST_TEST((abilities.names == DiskNames{}));
  BOOST_TEST(abilities.symbolic_links);
  BOOST_TEST(abilities.hard_links);
  BOOST_TEST(fs::is_empty(directory.path()));
}

BOOST_AUTO_TEST_CASE(a_folder_that_may_not_be_written_to_counts_as_able) {
  const Descriptor folder(::open("/proc", O_RDONLY | O_DIRECTORY));
  BOOST_TEST((try_disk(folder.get()).names == DiskNames{}));
}

BOOST_AUTO_TEST_CASE(numbers_of_what_is_not_there_are_not_trusted) {
  BOOST_TEST(!identity_trust("/no/such/path").inode);
  BOOST_TEST(identity_trust("/").inode == identity_trust("/bin/sh").inode);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
