#include "lib/util/ranks.h"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include "tests/support/thread_ranks.h"

namespace zeroshelf::testing {
namespace {

constexpr size_t kSizes[] = {1, 2, 3, 5, 8};

}  // namespace

BOOST_AUTO_TEST_SUITE(ranks)

BOOST_AUTO_TEST_CASE(all_get_what_each_has_given_in_their_order) {
  for (const size_t size : kSizes) {
    std::vector<std::vector<std::string>> gathered(size), exchanged(size);
    std::vector<std::string> broadcast(size);
    run_ranks(size, [&](Ranks& ranks) {
      const std::string own(ranks.rank(), 'x');
      gathered[ranks.rank()] = ranks.gather(own);
      broadcast[ranks.rank()] = ranks.broadcast(ranks.is_first() ? "first" : "other");
      exchanged[ranks.rank()] = ranks.exchange(own);
    });
    std::vector<std::string> all;
    for (size_t rank = 0; rank < size; ++rank) all.emplace_back(rank, 'x');
    for (size_t rank = 0; rank < size; ++rank) {
      BOOST_TEST((gathered[rank] == (rank == 0 ? all : std::vector<std::string>())));
      BOOST_TEST(broadcast[rank] == "first");
      BOOST_TEST((exchanged[rank] == all));
    }
  }
}

BOOST_AUTO_TEST_CASE(sums_are_modulo_two_to_the_64) {
  for (const size_t size : kSizes) {
    std::vector<std::vector<uint64_t>> sums(size);
    std::vector<float> largest(size);
    run_ranks(size, [&](Ranks& ranks) {
      std::vector<uint64_t> values = {ranks.rank(), UINT64_MAX};
      ranks.add_up(values);
      sums[ranks.rank()] = values;
      largest[ranks.rank()] = ranks.largest(static_cast<float>(ranks.rank()) - 0.5f);
    });
    const std::vector<uint64_t> wanted = {size * (size - 1) / 2, 0 - uint64_t{size}};
    for (size_t rank = 0; rank < size; ++rank) {
      BOOST_TEST((sums[rank] == wanted));
      BOOST_TEST(largest[rank] == static_cast<float>(size) - 1.5f);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_first_rank_tells_the_error_of_the_lowest_one) {
  std::vector<std::string> told(4);
  run_ranks(4, [&](Ranks& ranks) {
    try {
      ranks.agree_after([] {});
      ranks.agree_after([&] {
        if (ranks.rank() >= 2)
          throw Error(ErrorCode::Io, "part" + std::to_string(ranks.rank()), "is gone", "look");
      });
      told[ranks.rank()] = "nothing";
    } catch (const Error& error) {
      BOOST_TEST((error.code() == ErrorCode::Io));
      told[ranks.rank()] = error.what();
      BOOST_TEST(ranks.ended());
    } catch (const EndedElsewhere&) {
      told[ranks.rank()] = "elsewhere";
      BOOST_TEST(ranks.ended());
    }
  });
  BOOST_TEST(told[0] == "part2: is gone; look");
  for (size_t rank = 1; rank < 4; ++rank) BOOST_TEST(told[rank] == "elsewhere");
}

BOOST_AUTO_TEST_CASE(what_the_first_rank_cannot_make_ends_all) {
  std::vector<int> ended(3);
  run_ranks(3, [&](Ranks& ranks) {
    try {
      ranks.made_by_first([]() -> std::string { throw Error(ErrorCode::NotFound, "a", "b"); });
    } catch (const std::exception&) {
      ended[ranks.rank()] = 1;
    }
  });
  BOOST_TEST((ended == std::vector<int>{1, 1, 1}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf::testing
