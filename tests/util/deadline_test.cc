#include "lib/util/deadline.h"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>

namespace zeroshelf::testing {

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(deadline)

BOOST_AUTO_TEST_CASE(what_ends_has_ended) {
  std::atomic<int> calls = 0;
  const std::vector<std::function<void()>> bodies(100, [&] { ++calls; });
  const std::vector<bool> ended = ended_in_time(bodies, 1min);
  BOOST_TEST(calls == 100);
  BOOST_TEST((ended == std::vector<bool>(100, true)));
  BOOST_TEST(ended_in_time({}, 1ms).empty());
}

BOOST_AUTO_TEST_CASE(what_hangs_is_left_behind_and_the_others_are_not) {
  const auto never = std::make_shared<std::promise<void>>();
  const auto hang = [waiting = never->get_future().share()] { waiting.wait(); };
  const auto start = std::chrono::steady_clock::now();
  const std::vector<bool> ended = ended_in_time({[] {}, hang, [] {}, hang}, 300ms);
  BOOST_TEST((std::chrono::steady_clock::now() - start >= 300ms));
  BOOST_TEST((ended == std::vector<bool>{true, false, true, false}));
  never->set_value();
}

BOOST_AUTO_TEST_CASE(where_too_many_hang_some_never_begin) {
  const auto never = std::make_shared<std::promise<void>>();
  std::vector<std::function<void()>> bodies(
      500, [waiting = never->get_future().share()] { waiting.wait(); });
  BOOST_TEST((ended_in_time(bodies, 50ms) == std::vector<bool>(500, false)));
  never->set_value();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf::testing
