// Tested by tests/search/search_test.cc; `./dev bench found` measures how well it tells.

#include "lib/search/search_cut.h"

#include <algorithm>
#include <cmath>

#include "lib/search/background.h"

namespace zeroshelf {

float least_nats(size_t vectors) {
  return std::clamp(std::log(static_cast<float>(std::max<size_t>(1, vectors)) / 2) + 1, 4.0f, 8.0f);
}

std::vector<SearchHit> fitting(const View& collection, const SearchQuery& query,
                               const Matrix& background, SearchSpace space,
                               std::vector<SearchHit> hits) {
  const Background pictures(collection, ViewVectors::pictures(collection), background,
                            query.picture);
  const Background texts(collection, ViewVectors::texts(collection), background, query.text);
  const float complete = complete_letter_nats(collection.lexicons(), query.letters);
  const auto fits = [&](const SearchHit& hit) {
    if (space != SearchSpace::Text && hit.image_score >= pictures.chance_cosine() &&
        hit.image_nats >= least_nats(collection.rows()) &&
        pictures.share_better(hit.row) <= FitLimits::kBetter) {
      return true;
    }
    if (space == SearchSpace::Picture || !hit.text_score) return false;
    if (hit.letter_nats > 0 && hit.letter_nats >= FitLimits::kLetterShare * complete) return true;
    return *hit.text_score >= texts.chance_cosine() &&
           hit.text_nats >= least_nats(collection.texts()) &&
           texts.share_better(*collection.text_index(hit.row)) <= FitLimits::kBetter;
  };
  std::erase_if(hits, [&](const SearchHit& hit) { return !fits(hit); });
  return hits;
}

}  // namespace zeroshelf
