// The vocabulary for those who have none.

#include "lib/labels/everyday_names.h"

#include <boost/test/unit_test.hpp>
#include <set>

#include "lib/labels/labels.h"

namespace zeroshelf {
namespace {

BOOST_AUTO_TEST_SUITE(everyday)

BOOST_AUTO_TEST_CASE(names_are_unique_and_lines_of_a_label_file) {
  const std::vector<std::string> names = everyday_names();
  BOOST_TEST(names.size() > 600u);
  BOOST_TEST(std::set(names.begin(), names.end()).size() == names.size());
  for (const std::string& name : names) {
    BOOST_TEST(!name.empty());
    BOOST_TEST(name.find_first_of(":|#,/\n@") == std::string::npos);
    BOOST_TEST(name.front() != ' ');
    BOOST_TEST(name.back() != ' ');
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
