#pragma once

// Short ways to ask a collection, for tests and benchmarks.

#include <cassert>
#include <utility>
#include <vector>

#include "lib/collection/view.h"
#include "lib/labelling/classify.h"

namespace zeroshelf {

// The collection of a view of one.
inline const Collection& only_part(const View& view) {
  assert(view.parts().size() == 1);
  return view.parts().front().collection;
}

// Labels by their vectors, without a threshold.
inline Labelling labelling_of(LabelVectors vectors, const Fusion& fusion,
                              std::vector<Label> labels = {}) {
  return {std::move(labels), std::move(vectors), fusion, {}, {}, false};
}

}  // namespace zeroshelf
