#pragma once

// Semantic search: the pictures nearest to a query vector.

#include <optional>
#include <span>
#include <vector>

#include "lib/collection/collection.h"

namespace zeroshelf {

// Which vectors the query is compared with. Cosines of the two spaces live on different scales (a
// fitting picture has about 0.25, a fitting text 0.7), so one query ranks by one of them.
enum class SearchSpace { Picture, Text };

struct SearchHit {
  Row row = 0;
  float image_score = 0;            // cosine of the query and the picture
  std::optional<float> text_score;  // cosine of the query and the text in it, if it has any

  float score(SearchSpace space) const {
    return space == SearchSpace::Picture ? image_score : *text_score;
  }
};

// The k best live pictures, best first, equal scores in row order; exact. In SearchSpace::Text only
// pictures with text are found. query: a unit vector of the collection's dimension.
std::vector<SearchHit> search(const Collection& collection, std::span<const float> query, size_t k,
                              SearchSpace space, unsigned threads = 0);

}  // namespace zeroshelf
