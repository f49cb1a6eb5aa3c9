// Prometheus' text format, version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/

#include "query/serve/metrics.h"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <thread>

namespace zeroshelf::serve {
namespace {

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

BOOST_AUTO_TEST_SUITE(metrics_of_endpoints)

BOOST_AUTO_TEST_CASE(requests_are_counted_by_endpoint_and_status) {
  Metrics metrics;
  for (const int status : {200, 200, 404}) Metrics::Timer(metrics, "/a").ends(status);
  Metrics::Timer(metrics, "/b").ends(200);
  const std::string text = metrics.text();
  BOOST_TEST(has_line(text, R"(zeroshelf_requests_total{endpoint="/a",status="200"} 2)"));
  BOOST_TEST(has_line(text, R"(zeroshelf_requests_total{endpoint="/a",status="404"} 1)"));
  BOOST_TEST(has_line(text, R"(zeroshelf_requests_total{endpoint="/b",status="200"} 1)"));
  BOOST_TEST(has_line(text, R"(zeroshelf_request_seconds_count{endpoint="/a"} 3)"));
  BOOST_TEST(has_line(text, "# TYPE zeroshelf_request_seconds histogram"));
}

BOOST_AUTO_TEST_CASE(buckets_hold_all_that_was_at_most_as_long) {
  Metrics metrics;
  const Metrics::Timer slow(metrics, "/a");
  std::this_thread::sleep_for(std::chrono::milliseconds(15));
  slow.ends(200);
  const std::string text = metrics.text();
  BOOST_TEST(has_line(text, R"(zeroshelf_request_seconds_bucket{endpoint="/a",le="0.01"} 0)"));
  BOOST_TEST(has_line(text, R"(zeroshelf_request_seconds_bucket{endpoint="/a",le="+Inf"} 1)"));
}

BOOST_AUTO_TEST_CASE(a_number_has_its_help_and_type) {
  std::string text;
  append_metric(text, "zeroshelf_pictures", "gauge", "Pictures of the collection.", 12);
  BOOST_TEST(text ==
             "# HELP zeroshelf_pictures Pictures of the collection.\n"
             "# TYPE zeroshelf_pictures gauge\nzeroshelf_pictures 12\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf::serve
