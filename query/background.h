#pragma once

// Whether what a query asks for is there at all.
//
// The best of a collection always exists; whether it fits is told by comparing the query with a
// background of some hundred everyday prompts. Each cosine of a picture (or text) with a prompt is
// standardised over the collection, as the query's is, so that prompts which fit everything a
// little count no more than others. A hit stands when the query's standardised cosine is among the
// best for that picture: at most kBetter of the background's prompts may fit it better.
//
// The prompts' vectors are kept as an attachment of the collection (kind "search"), for one model's
// fingerprint each; where it cannot be written they are computed again.

#include <span>
#include <string>
#include <vector>

#include "lib/collection/collection.h"
#include "lib/encoder/encoder.h"

namespace zeroshelf {

// What is compared with: names of things, animals, places, people, scenes. Unique.
std::span<const char* const> background_prompts();

// [prompts, dimension], unit vectors; from the attachment or, with the encoder, made and kept.
Matrix background_vectors(const Collection& collection, Encoder& encoder);

// How well the query fits single rows, compared with the background. Of one kind of vectors.
class Background {
 public:
  // vectors: the collection's pictures or texts; owners: whose the texts are, empty for pictures.
  Background(const Collection& collection, const VectorRows& vectors,
             const std::vector<Row>& owners, Matrix prompts, std::span<const float> query);

  // The share of the prompts that fit the row better than the query does, 0 to 1.
  double share_better(Row row) const;

 private:
  const VectorRows& vectors_;
  Matrix prompts_;  // the query is the last
  std::vector<float> centres_;
  std::vector<float> spreads_;
};

}  // namespace zeroshelf
