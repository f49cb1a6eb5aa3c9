#include <boost/test/unit_test.hpp>

#include <atomic>
#include <stdexcept>
#include <vector>

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
  BOOST_CHECK_THROW(parallel_chunks(100, 1, 2, [](size_t, size_t) { throw std::runtime_error("x"); }),
                    std::runtime_error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
