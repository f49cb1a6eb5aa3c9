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

}  // namespace zeroshelf
