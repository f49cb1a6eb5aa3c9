#pragma once

// Which of the nearest pictures fit the query at all; so a search for something that is not there
// finds nothing.

#include <vector>

#include "lib/util/matrix.h"
#include "query/search.h"

namespace zeroshelf {

// A hit stays when one of these holds, of the kinds of evidence that the space has:
//   - the picture fits the query better than all but kBetter of the background's prompts, and has
//     at least kPictureNats;
//   - its text does so, with at least kTextNats;
//   - its letters have at least half of the nats that the whole query as written would have.
struct FitLimits {
  static constexpr double kBetter = 0.02;
  static constexpr float kPictureNats = 4;
  static constexpr float kTextNats = 4;
  static constexpr float kLetterShare = 0.5f;
};

// The hits that fit, in their order. background: vectors of the prompts, see query/background.h.
std::vector<SearchHit> fitting(const Collection& collection, const SearchQuery& query,
                               const Matrix& background, SearchSpace space,
                               std::vector<SearchHit> hits);

}  // namespace zeroshelf
