// Filters by what records say.

#include "lib/search/record_filter.h"

#include <boost/test/unit_test.hpp>
#include <set>

#include "lib/util/error.h"
#include "tests/search/collected.h"

namespace zeroshelf {
namespace {

using testing::Collected;

BOOST_FIXTURE_TEST_SUITE(record_filters, Collected)

BOOST_AUTO_TEST_CASE(filters_admit_what_the_records_say) {
  {
    CollectionWriter writer = CollectionWriter::open_existing(path);
    writer.publish_snapshot(SnapshotWhen::Now);
    Batch removals;
    removals.removed = {1, 3};  // of which the snapshot still has the text of the first
    writer.commit(removals);
  }
  const View collection = open();
  const auto rows = [&](const RecordFilter& filter) {
    const std::vector<bool> admitted = admitted_rows(collection, filter);
    std::set<Row> result;
    for (Row row = 0; row < admitted.size(); ++row) {
      if (admitted[row]) result.insert(row);
    }
    return result;
  };
  const auto expected = [&](const auto& wanted) {
    std::set<Row> result;
    for (Row row = 0; row < 900; ++row) {
      if (collection.is_live(row) && wanted(row)) result.insert(row);
    }
    return result;
  };
  RecordFilter filter;
  BOOST_TEST((rows(filter) == expected([](Row) { return true; })));
  filter.has_text = false;
  BOOST_TEST((rows(filter) == expected([](Row row) { return row % 3 == 0; })));
  filter.has_text = true;
  BOOST_TEST((rows(filter) == expected([](Row row) { return row % 3 != 0; })));
  filter.has_text = false;
  BOOST_TEST(!filter.reads_records());
  filter.min_width = 300;
  filter.max_bytes = 6000;
  filter.since_ns = 400'000'000'000;
  filter.until_ns = 500'000'000'000;
  filter.paths = {"*.jpg"};
  BOOST_TEST((rows(filter) == expected([](Row row) {
                return row % 3 == 0 && row % 2 == 1 && row >= 400 && row < 500;
              })));
}

BOOST_AUTO_TEST_CASE(patterns_fit_names_or_ends_of_paths) {
  BOOST_TEST(path_fits("*.jpg", "/a/b/c.jpg"));
  BOOST_TEST(!path_fits("*.jpg", "/a/b.jpg/c.png"));
  BOOST_TEST(path_fits("b/*", "/a/b/c.jpg"));
  BOOST_TEST(path_fits("/a/*", "/a/b/c.jpg"));
  BOOST_TEST(!path_fits("/b/*", "/a/b/c.jpg"));
  BOOST_TEST(!path_fits("b/*", "/ab/c.jpg"));
  BOOST_TEST(path_fits("c.jp[gx]", "/a/c.jpg"));
}

BOOST_AUTO_TEST_CASE(days_are_days_or_refused) {
  // Beyond what nanoseconds count.
  BOOST_TEST(start_of_day_ns("--since", "4048-01-01") > start_of_day_ns("--since", "2261-12-31"));
  BOOST_TEST(start_of_day_ns("--until", "9999-12-31") == start_of_day_ns("--until", "4048-01-01"));
  BOOST_TEST(start_of_day_ns("--until", "2024-02-28", 2) -
                 start_of_day_ns("--since", "2024-02-28") ==
             int64_t{2} * 86'400 * 1'000'000'000);
  for (const char* day : {"", "yesterday", "2024-13-01", "2024-01-01x", "2023-02-29", "2024-11-31"})
    BOOST_CHECK_THROW(start_of_day_ns("--since", day), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
