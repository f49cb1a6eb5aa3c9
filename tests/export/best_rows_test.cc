#include "lib/export/best_rows.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

namespace zeroshelf {
namespace {

BOOST_AUTO_TEST_CASE(the_best_come_first_and_equal_ones_in_their_order) {
  std::mt19937 random(5);
  std::vector<Prediction> predictions(200);
  for (Prediction& one : predictions) {
    one.winner = Source::Image;
    one.fused.score = static_cast<float>(random() % 20);
  }
  std::vector<Row> all(200);
  for (Row row = 0; row < all.size(); ++row) all[row] = row;
  std::vector<Row> sorted(all.rbegin(), all.rend());
  std::ranges::stable_sort(sorted, [&](Row a, Row b) {
    return predictions[a].fused.score > predictions[b].fused.score;
  });
  for (const uint64_t count : {0u, 1u, 17u, 200u, 1000u}) {
    std::vector<Row> rows = all;
    std::ranges::shuffle(rows, random);
    const size_t best = move_best_to_front(rows, count, predictions, std::greater());
    BOOST_TEST(best == std::min<uint64_t>(count, 200));
    BOOST_TEST(std::equal(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(best),
                          sorted.begin()));
    std::ranges::sort(rows);
    BOOST_TEST((rows == all));  // none is lost
  }
}

}  // namespace
}  // namespace zeroshelf
