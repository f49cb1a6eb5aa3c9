// Tested by tests/export/best_rows_test.cc.

#include "lib/export/best_rows.h"

#include <algorithm>
#include <cstddef>

namespace zeroshelf {

size_t move_best_to_front(std::vector<Row>& rows, uint64_t count,
                          const std::vector<Prediction>& predictions,
                          const std::function<bool(Row, Row)>& before) {
  const auto better = [&](Row a, Row b) {
    const float score_a = predictions[a].answer().score;
    const float score_b = predictions[b].answer().score;
    return score_a != score_b ? score_a > score_b : before(a, b);
  };
  const size_t best = std::min<uint64_t>(count, rows.size());
  const auto end = rows.begin() + static_cast<std::ptrdiff_t>(best);
  std::partial_sort(rows.begin(), end, rows.end(), better);
  return best;
}

}  // namespace zeroshelf
