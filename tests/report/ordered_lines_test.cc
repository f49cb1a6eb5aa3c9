#include "lib/report/ordered_lines.h"

#include <boost/test/unit_test.hpp>

#include <random>
#include <string>
#include <vector>

#include "tests/support/thread_ranks.h"

namespace zeroshelf::testing {

BOOST_AUTO_TEST_SUITE(ordered_lines)

// Lines of random ranks, some thousand of them: as they come from one process.
BOOST_AUTO_TEST_CASE(lines_of_ranks_come_in_the_order_of_their_paths) {
  for (const size_t size : {1u, 2u, 5u}) {
    std::mt19937 random(3);
    std::vector<std::vector<OrderedLines>> of_ranks(size);
    std::string wanted;
    for (int i = 0; i < 5000; ++i) {
      std::vector<OrderedLines>& own = of_ranks[random() % size];
      if (own.empty() || random() % 50 == 0) own.emplace_back();
      // Some pictures have no line, some lines have no end.
      const std::string line = i % 7 == 0 ? "" : "line " + std::to_string(i) + (i % 3 ? "\n" : "");
      own.back().text += line;
      own.back().lines.push_back({std::to_string(100'000 + i), own.back().text.size()});
      wanted += line;
    }
    std::string written;
    run_ranks(size, [&](Ranks& ranks) {
      size_t at = 0;
      const auto next = [&]() -> std::optional<OrderedLines> {
        const auto& own = of_ranks[ranks.rank()];
        return at < own.size() ? std::optional(own[at++]) : std::nullopt;
      };
      merge_lines(ranks, next, [&](std::string_view text) { written += text; });
    });
    BOOST_TEST((written == wanted));
  }
}

BOOST_AUTO_TEST_CASE(equal_paths_stand_in_the_order_of_the_ranks) {
  std::string written;
  run_ranks(3, [&](Ranks& ranks) {
    bool done = ranks.rank() == 1;  // has none
    const auto next = [&]() -> std::optional<OrderedLines> {
      if (std::exchange(done, true)) return std::nullopt;
      return OrderedLines{std::to_string(ranks.rank()), {{"same", 1}}};
    };
    merge_lines(ranks, next, [&](std::string_view text) { written += text; });
  });
  BOOST_TEST(written == "02");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf::testing
