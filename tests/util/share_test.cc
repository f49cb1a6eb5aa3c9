#include "lib/util/share.h"

#include <boost/test/unit_test.hpp>

namespace zeroshelf {

BOOST_AUTO_TEST_SUITE(share)

// Brown, Cai and DasGupta 2001 give Wilson's interval for 8 of 10 as 0.490 to 0.943.
BOOST_AUTO_TEST_CASE(the_interval_is_that_of_wilson) {
  const Share share{8, 10};
  BOOST_TEST(share.value() == 0.8);
  BOOST_TEST(share.low() == 0.4902, boost::test_tools::tolerance(1e-3));
  BOOST_TEST(share.high() == 0.9433, boost::test_tools::tolerance(1e-3));
}

BOOST_AUTO_TEST_CASE(nothing_but_successes_still_leaves_doubt) {
  BOOST_TEST((Share{20, 20}.low()) < 0.9);
  BOOST_TEST((Share{20, 20}.high()) == 1.0);
  BOOST_TEST((Share{0, 20}.low()) == 0.0);
  BOOST_TEST((Share{0, 20}.high()) > 0.1);
}

BOOST_AUTO_TEST_CASE(without_trials_everything_is_possible) {
  BOOST_TEST(Share{}.value() == 0.0);
  BOOST_TEST(Share{}.low() == 0.0);
  BOOST_TEST(Share{}.high() == 1.0);
}

BOOST_AUTO_TEST_CASE(adding_counts_both_outcomes) {
  Share share;
  for (const bool outcome : {true, false, true, true}) share.add(outcome);
  BOOST_TEST(share.good == 3u);
  BOOST_TEST(share.trials == 4u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf
