#include "lib/xmp/sidecar_names.h"

#include <boost/test/unit_test.hpp>

#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

BOOST_AUTO_TEST_SUITE(sidecar_names)

BOOST_AUTO_TEST_CASE(a_sidecar_by_the_stem_is_taken_only_where_it_can_be_of_no_other_file) {
  const testing::TemporaryDirectory folder;
  for (const char* name : {"a.jpg", "b.jpg", "b.xmp", "c.jpg", "c.cr2", "c.xmp", "d.jpg", "d.xmp",
                           "d.jpg.xmp", "none", "none.xmp"})
    testing::write_file(folder / name, "");
  SidecarNames names;
  BOOST_TEST(names.of(folder / "a.jpg") == folder / "a.jpg.xmp");
  BOOST_TEST(names.of(folder / "b.jpg") == folder / "b.xmp");
  BOOST_TEST(names.of(folder / "c.jpg") == folder / "c.jpg.xmp");
  BOOST_TEST(names.of(folder / "d.jpg") == folder / "d.jpg.xmp");
  BOOST_TEST(names.of(folder / "none") == folder / "none.xmp");
  BOOST_TEST(names.of(folder / "absent" / "a.jpg") == folder / "absent" / "a.jpg.xmp");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
