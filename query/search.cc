// Tested by tests/programs/queries_test.cc.

#include "query/search.h"

#include <algorithm>

#include "lib/util/error.h"
#include "lib/vectors/scan.h"

namespace zeroshelf {
namespace {

float similarity(const VectorRows& vectors, Row row, const Matrix& query) {
  float score = 0;
  inner_products(vectors, row, 1, query, std::span(&score, 1));
  return score;
}

}  // namespace

std::vector<SearchHit> search(const Collection& collection, std::span<const float> query, size_t k,
                              SearchSpace space, unsigned threads) {
  if (query.size() != collection.manifest().dimension) {
    throw Error(ErrorCode::InvalidArgument, "query", "its dimension is not the collection's");
  }
  Matrix query_row(1, query.size());
  std::copy(query.begin(), query.end(), query_row.row(0).begin());

  const auto& owners = collection.text_owners();
  const bool in_text = space == SearchSpace::Text;
  const VectorRows& vectors = in_text ? collection.text_vectors() : collection.image_vectors();
  const auto keep = [&](Row row) { return collection.is_live(in_text ? owners[row] : row); };

  std::vector<SearchHit> hits;
  for (const ScoredRow& found : top_rows(vectors, query, k, keep, threads)) {
    SearchHit hit;
    hit.row = in_text ? owners[found.row] : found.row;
    hit.image_score = similarity(collection.image_vectors(), hit.row, query_row);
    if (const auto text = collection.text_index(hit.row)) {
      hit.text_score = similarity(collection.text_vectors(), *text, query_row);
    }
    hits.push_back(hit);
  }
  return hits;
}

}  // namespace zeroshelf
