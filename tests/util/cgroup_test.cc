#include "lib/util/cgroup.h"

#include <boost/test/unit_test.hpp>

#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

struct Hierarchy {
  void put(const std::string& file, const std::string& content) {
    testing::write_file(directory / file, content);
  }
  CgroupLimits limits() { return cgroup_limits(directory / "root", directory / "self"); }
  testing::TemporaryDirectory directory;
};

BOOST_AUTO_TEST_SUITE(cgroup)

BOOST_FIXTURE_TEST_CASE(the_smallest_limit_from_the_root_down_counts, Hierarchy) {
  put("self", "12:cpu:/old\n0::/a/b\n");
  put("root/a/cpu.max", "150000 100000\n");
  put("root/a/memory.max", "2000000\n");
  put("root/a/b/cpu.max", "max 100000\n");
  put("root/a/b/memory.max", "1000000\n");
  BOOST_TEST(limits().cores.value() == 1.5);
  BOOST_TEST(limits().memory_bytes.value() == 1'000'000u);
}

BOOST_FIXTURE_TEST_CASE(no_limit_and_no_hierarchy_are_no_limits, Hierarchy) {
  BOOST_TEST(!limits().cores);
  put("self", "0::/\n");
  put("root/cpu.max", "max 100000\n");
  put("root/memory.max", "max\n");
  BOOST_TEST(!limits().cores);
  BOOST_TEST(!limits().memory_bytes);
  put("root/cpu.max", "nonsense");
  BOOST_TEST(!limits().cores);
}

BOOST_FIXTURE_TEST_CASE(a_group_does_not_lead_out_of_the_hierarchy, Hierarchy) {
  put("self", "0::/../../outside\n");
  put("outside/memory.max", "1\n");
  put("root/memory.max", "5000\n");
  BOOST_TEST(limits().memory_bytes.value() == 5000u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
