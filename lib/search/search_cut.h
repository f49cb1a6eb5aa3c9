#pragma once

// Which of the nearest pictures fit the query at all; so a search for something that is not there
// finds nothing.

#include <vector>

#include "lib/search/search.h"
#include "lib/util/matrix.h"

namespace zeroshelf {

// A hit stays when one of these holds, of the kinds of evidence that the space has:
//   - the picture fits the query better than all but kBetter of the background's prompts, and
//     better than chance would have the best of the collection fit it: it has at least
//     least_nats(pictures), and a cosine of at least chance_cosine();
//   - its text does so, with at least least_nats(texts);
//   - its letters have at least half of the nats that the whole query as written would have.
struct FitLimits {
  static constexpr double kBetter = 0.02;
  static constexpr float kLetterShare = 0.5f;
};

// Of n vectors taken at random, n / 2 exp(-x) are expected to have x nats or more. This is where
// exp(-1) are, at least 4 (for few vectors, whose spread says little) and at most 8 (for many, of
// which more than one may well fit).
float least_nats(size_t vectors);

// The hits that fit, in their order. background: vectors of the prompts, see
// lib/search/background.h.
std::vector<SearchHit> fitting(const View& collection, const SearchQuery& query,
                               const Matrix& background, SearchSpace space,
                               std::vector<SearchHit> hits);

}  // namespace zeroshelf
