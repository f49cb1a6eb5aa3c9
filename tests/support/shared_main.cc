// The main of the test programs that read ../shared: without it they exit with 77, which CTest
// reports as skipped.

#define BOOST_TEST_NO_MAIN
#define BOOST_TEST_ALTERNATIVE_INIT_API
#include <boost/test/unit_test.hpp>

#include <cstdio>

#include "tests/support/shared_data.h"

int main(int argc, char** argv) {
  if (zeroshelf::testing::shared_directory().empty()) {
    std::puts("skipped: no reference data in ../shared or $ZEROSHELF_SHARED");
    return 77;
  }
  return boost::unit_test::unit_test_main([] { return true; }, argc, argv);
}
