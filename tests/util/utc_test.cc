#include "lib/util/utc.h"

#include <boost/test/unit_test.hpp>
#include <ctime>

namespace zeroshelf {

BOOST_AUTO_TEST_CASE(now_is_told_in_utc_to_the_second) {
  const std::time_t before = std::time(nullptr);
  const std::string text = now_utc();
  const std::time_t after = std::time(nullptr);
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  BOOST_REQUIRE(end != nullptr);
  BOOST_TEST(*end == '\0');
  const std::time_t told = ::timegm(&parts);
  BOOST_TEST(told >= before);
  BOOST_TEST(told <= after);
}

BOOST_AUTO_TEST_CASE(a_time_is_told_to_the_second_it_is_in) {
  BOOST_TEST(utc_of(0) == "1970-01-01T00:00:00Z");
  BOOST_TEST(utc_of(1'709'210'096'999'999'999) == "2024-02-29T12:34:56Z");
  BOOST_TEST(utc_of(-1) == "1969-12-31T23:59:59Z");
  BOOST_TEST(utc_of(-1'000'000'000) == "1969-12-31T23:59:59Z");
  BOOST_TEST(utc_of(INT64_MIN) == "1677-09-21T00:12:43Z");
  BOOST_TEST(utc_of(INT64_MAX) == "2262-04-11T23:47:16Z");
}

}  // namespace zeroshelf
