#include "lib/util/drop_repeated.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>

namespace zeroshelf {

BOOST_AUTO_TEST_SUITE(drop_repeated_values)

BOOST_AUTO_TEST_CASE(the_first_of_equal_neighbours_stays) {
  std::vector<int> values = {1, 1, 2, 3, 3, 3, 1};
  drop_repeated(values);
  BOOST_TEST(values == std::vector<int>({1, 2, 3, 1}), boost::test_tools::per_element());

  std::vector<std::pair<std::string, int>> pairs = {{"a", 1}, {"a", 2}, {"b", 3}};
  drop_repeated(pairs, &std::pair<std::string, int>::first);
  BOOST_TEST(pairs.size() == 2);
  BOOST_TEST(pairs[0].second == 1);

  std::vector<int> none;
  drop_repeated(none);
  BOOST_TEST(none.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf
