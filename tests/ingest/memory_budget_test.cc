#include "lib/ingest/memory_budget.h"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <future>
#include <memory>

namespace zeroshelf {
namespace {

using Lease = MemoryBudget::Lease;

constexpr std::chrono::milliseconds kMoment{50};  // in which what need not wait is done
constexpr std::chrono::seconds kLong{60};

// Raises the lease in a thread of its own.
std::future<void> raise(Lease& lease, uint64_t bytes) {
  return std::async(std::launch::async, [&lease, bytes] { lease.raise(bytes); });
}

bool is_done(const std::future<void>& raised, std::chrono::milliseconds within) {
  return raised.wait_for(within) == std::future_status::ready;
}

BOOST_AUTO_TEST_SUITE(memory_budget)

BOOST_AUTO_TEST_CASE(a_later_file_waits_until_an_earlier_one_is_read) {
  MemoryBudget budget(100);
  auto first = std::make_unique<Lease>(budget, 0);
  first->raise(60);
  Lease second(budget, 1);
  second.raise(40);
  const std::future<void> raised = raise(second, 41);
  BOOST_TEST(!is_done(raised, kMoment));
  first.reset();
  BOOST_TEST(is_done(raised, kLong));
}

BOOST_AUTO_TEST_CASE(the_earliest_file_gets_more_than_there_is) {
  MemoryBudget budget(100);
  auto first = std::make_unique<Lease>(budget, 0);
  auto second = std::make_unique<Lease>(budget, 1);
  second->raise(90);
  BOOST_TEST(is_done(raise(*first, 1000), kLong));
  second.reset();
  Lease third(budget, 2);
  const std::future<void> raised = raise(third, 1);
  BOOST_TEST(!is_done(raised, kMoment));
  first->raise(10);  // less than it has: nothing is given back
  BOOST_TEST(!is_done(raised, kMoment));
  first.reset();
  BOOST_TEST(is_done(raised, kLong));
}

BOOST_AUTO_TEST_CASE(who_becomes_the_earliest_waits_no_longer) {
  MemoryBudget budget(100);
  auto first = std::make_unique<Lease>(budget, 0);
  Lease second(budget, 1);
  Lease third(budget, 2);
  first->raise(10);
  third.raise(80);
  const std::future<void> raised = raise(second, 50);
  BOOST_TEST(!is_done(raised, kMoment));
  first.reset();  // which leaves 20: too few, but it is the earliest now
  BOOST_TEST(is_done(raised, kLong));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
