#pragma once

// Which pictures fit a query at all; so a search for something that is not there finds nothing, and
// one for what is there finds all that show it, however many are asked for.

#include <optional>

#include "lib/search/background.h"
#include "lib/search/search.h"
#include "lib/util/matrix.h"

namespace zeroshelf {

// A hit fits when one of these holds, of the kinds of evidence that the space has:
//   - the query names what is in the picture better than nearly all everyday prompts do (a z-score
//     of at least kLeastZ times what the query demands, see Background), and it stands out among
//     the pictures: it has at least least_nats(pictures); and, with models whose cosines tell, the
//     best picture's cosine is more than chance would give the best of that many, and this one's
//     more than it would give one;
//   - its text does so with kLeastZOfText and at least least_nats(texts); where the words of some
//     text match, one whose words do not must have kLeastZWithoutWords;
//   - its words match, see LexicalEvidence.
// Threads: const calls may run together.
class Fit {
 public:
  static constexpr float kLeastZ = 3;
  static constexpr float kLeastZOfText = 3.5f;
  static constexpr float kLeastZWithoutWords = 5;

  // background: vectors of the prompts, see lib/search/background.h; without rows only words can
  // fit. What is given must outlive it.
  Fit(const View& collection, const SearchQuery& query, const Matrix& background,
      SearchSpace space);

  bool operator()(const SearchHit& hit) const;

 private:
  const View& collection_;
  // The kinds that the space has and of which anything fits.
  std::optional<Background> pictures_;
  std::optional<Background> texts_;
};

// What only a twentieth of vectors taken at random have, and of many fewer: 1,000 are looked at
// closely.
float least_nats(size_t vectors);

}  // namespace zeroshelf
