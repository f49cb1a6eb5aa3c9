#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "lib/util/ordered_workers.h"
#include "lib/util/parallel.h"

namespace zeroshelf {
namespace {

BOOST_AUTO_TEST_SUITE(parallel)

BOOST_AUTO_TEST_CASE(every_element_is_visited_once) {
  for (unsigned threads : {0u, 1u, 3u}) {
    std::vector<std::atomic<int>> visits(1001);
    parallel_chunks(visits.size(), 10, threads, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) ++visits[i];
    });
    for (const auto& count : visits) BOOST_REQUIRE(count == 1);
  }
  parallel_chunks(0, 10, 0, [](size_t, size_t) { BOOST_ERROR("nothing to visit"); });
}

BOOST_AUTO_TEST_CASE(an_exception_in_a_thread_comes_out) {
  BOOST_CHECK_THROW(
      parallel_chunks(100, 1, 2, [](size_t, size_t) { throw std::runtime_error("x"); }),
      std::runtime_error);
}

BOOST_AUTO_TEST_CASE(ordered_workers_keep_the_order_and_the_window) {
  const OrderedWorkers<int, int>::Work slow_evens = [](int i) {
    if (i % 2 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return i * 10;
  };
  OrderedWorkers<int, int> workers({slow_evens, slow_evens, slow_evens}, 5);
  int expected = 0;
  for (int i = 0; i < 50; ++i) {
    if (workers.full()) BOOST_REQUIRE(workers.pop() == 10 * expected++);
    workers.push(i);
  }
  while (!workers.empty()) BOOST_REQUIRE(workers.pop() == 10 * expected++);
  BOOST_TEST(expected == 50);
}

BOOST_AUTO_TEST_CASE(ordered_workers_hand_on_exceptions_and_end_with_work_left) {
  const OrderedWorkers<int, int>::Work failing = [](int i) -> int {
    if (i == 1) throw std::runtime_error("x");
    return i;
  };
  OrderedWorkers<int, int> workers({failing}, 100);
  for (int i = 0; i < 20; ++i) workers.push(i);
  BOOST_TEST(workers.pop() == 0);
  BOOST_CHECK_THROW(workers.pop(), std::runtime_error);
  BOOST_TEST(workers.pop() == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
