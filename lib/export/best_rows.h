#pragma once

// The best pictures of a label.

#include <cstdint>
#include <functional>
#include <vector>

#include "lib/collection/view.h"
#include "lib/fusion/fusion.h"

namespace zeroshelf {

// Brings the rows with the highest scores to the front, best first, equal ones in the order of
// `before`, and returns how many those are: count, or all when there are fewer. The others follow in
// any order. Each row has an answer.
size_t move_best_to_front(std::vector<Row>& rows, uint64_t count,
                          const std::vector<Prediction>& predictions,
                          const std::function<bool(Row, Row)>& before);

}  // namespace zeroshelf
