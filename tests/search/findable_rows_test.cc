#include "lib/search/findable_rows.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>

#include "tests/support/random_collection.h"

namespace zeroshelf {
namespace {

std::vector<Row> rows_of(const std::vector<bool>& found) {
  std::vector<Row> rows;
  for (Row row = 0; row < found.size(); ++row) {
    if (found[row]) rows.push_back(row);
  }
  return rows;
}

BOOST_FIXTURE_TEST_SUITE(findable_rows_of_searches, testing::RandomCollection)

BOOST_AUTO_TEST_CASE(whatever_says_no_says_no) {
  const View collection = open();
  RecordFilter filter;
  MadeQuery made;
  BOOST_TEST(findable_rows(collection, filter, made) == admitted_rows(collection, filter),
             boost::test_tools::per_element());
  filter.paths = {"/1", "/2", "/3", "/4", "/6", "/7", "/9"};  // every seventh is removed
  BOOST_TEST((rows_of(findable_rows(collection, filter, made)) == std::vector<Row>{1, 2, 3, 4, 6, 9}));
  std::vector<std::vector<bool>> others(2, std::vector<bool>(collection.rows(), true));
  others[0][2] = false;
  others[1][3] = false;
  BOOST_TEST((rows_of(findable_rows(collection, filter, made, others)) == std::vector<Row>{1, 4, 6, 9}));
  made.liked = {4};
  BOOST_TEST((rows_of(findable_rows(collection, filter, made, others)) == std::vector<Row>{1, 6, 9}));
  made.query.lexical = lexical_query("\"word\"", "eng");  // of every third picture
  BOOST_TEST((rows_of(findable_rows(collection, filter, made, others)) == std::vector<Row>{6, 9}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
