// Tested by tests/search/search_test.cc; `./dev bench found` measures how well it tells.

#include "lib/search/search_cut.h"

#include <algorithm>
#include <cmath>

#include "lib/collection/elsewhere.h"

namespace zeroshelf {

float least_nats(size_t vectors) {
  constexpr float kLeast = 2.5f;
  constexpr float kLookedAt = 1000;
  return std::max(kLeast, std::log(static_cast<float>(std::max<size_t>(1, vectors)) / kLookedAt));
}

namespace {

float best_cosine(const View& collection, const SearchQuery& query, SearchSpace space) {
  const SearchQuery without_words{query.picture, query.text, {}};
  const auto best = search(collection, without_words, {.count = 1, .space = space});
  float cosine = -1;
  if (!best.empty())
    cosine = space == SearchSpace::Text ? best[0].text_score.value_or(-1) : best[0].image_score;
  Ranks* ranks = ranks_of(collection);
  return ranks == nullptr ? cosine : ranks->largest(cosine);
}

}  // namespace

Fit::Fit(const View& collection, const SearchQuery& query, const Matrix& background,
         SearchSpace space)
    : collection_(collection) {
  if (background.rows() == 0) return;
  if (space != SearchSpace::Text)
    pictures_.emplace(ViewVectors::pictures(collection), background, query.picture);
  if (pictures_ &&
      best_cosine(collection, query, SearchSpace::Picture) < pictures_->chance_of_best())
    pictures_.reset();
  if (space != SearchSpace::Picture && !query.text.empty())
    texts_.emplace(ViewVectors::texts(collection), background, query.text);
  if (texts_ && best_cosine(collection, query, SearchSpace::Text) < texts_->chance_of_best())
    texts_.reset();
}

bool Fit::operator()(const SearchHit& hit) const {
  if (hit.lexical_fits) return true;
  if (pictures_ && hit.image_score >= pictures_->chance_of_one() &&
      hit.image_nats >= least_nats(collection_.pictures()) &&
      pictures_->z_score(hit.row) >= kLeastZ * pictures_->demand()) {
    return true;
  }
  const float least_z = hit.any_lexical_fits ? kLeastZWithoutWords : kLeastZOfText;
  return texts_ && hit.text_score && *hit.text_score >= texts_->chance_of_one() &&
         hit.text_nats >= least_nats(collection_.live_texts()) &&
         texts_->z_score(*collection_.text_index(hit.row)) >= least_z;
}

}  // namespace zeroshelf
