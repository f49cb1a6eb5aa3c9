#include "lib/util/below.h"

#include <boost/test/unit_test.hpp>

namespace zeroshelf {
namespace {

BOOST_AUTO_TEST_SUITE(below)

BOOST_AUTO_TEST_CASE(a_path_lies_in_each_folder_above_it_and_in_no_other) {
  for (const char* folder : {"/", "/a", "/a/b", "/a/b/c"}) BOOST_TEST(is_below("/a/b/c", folder));
  for (const char* folder : {"/a/b/c/d", "/a/bb", "/a/b/", "/b", "a"})
    BOOST_TEST(!is_below("/a/b/c", folder));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
