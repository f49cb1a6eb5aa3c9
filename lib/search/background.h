#pragma once

// Whether what a query asks for is there at all.
//
// The best of a collection always exists; whether it fits is told by comparing the query with a
// background of some hundred everyday prompts. Each cosine of a picture (or text) with a prompt is
// standardised over the collection, as the query's is, so that prompts which fit everything a
// little count no more than others. A hit stands when the query's standardised cosine is among the
// best for that picture: at most kBetter of the background's prompts may fit it better.
//
// And its cosine is more than chance would give: see chance_cosine().
//
// The prompts' vectors are kept as an attachment of the collection (kind "search"), for one model's
// fingerprint each; where it cannot be written they are computed again.

#include <span>
#include <string>
#include <vector>

#include "lib/collection/view.h"
#include "lib/encoder/encoder_source.h"

namespace zeroshelf {

// What is compared with: names of things, animals, places, people, scenes. Unique.
std::span<const char* const> background_prompts();

// [prompts, dimension], unit vectors; from the attachment or, with the encoder, made and kept.
Matrix background_vectors(const View& collection, EncoderSource& encoders);

// The cosine above which a vector fits a query that it was not expected to fit.
//
// pairs: cosines of many prompts with many vectors, of which few fit each other. With c and s their
// centre and spread (see spread_of) and Q the upper tail of the normal distribution, the best of n
// vectors that have nothing to do with a query reaches c + z s in one search of a hundred, where
// n Q(z) = 0.01. Pairs that do fit do not stand out the further the more vectors there are, and
// with some models they stand out little, so that this would refuse everything: therefore n counts
// to 441 at most (10 nats, z = 4.1), and no more is asked than all but a thousandth of the pairs
// have. Without pairs -1: everything fits.
float chance_cosine(std::vector<float> pairs, size_t vectors);

// How well the query fits single rows, compared with the background. Of one kind of vectors.
class Background {
 public:
  Background(const View& collection, const ViewVectors& vectors, const Matrix& prompts,
             std::span<const float> query);

  // The share of the prompts that fit the row better than the query does, 0 to 1.
  double share_better(Row row) const;

  // Of the prompts with a sample of the vectors.
  float chance_cosine() const { return chance_cosine_; }

 private:
  ViewVectors vectors_;
  Matrix prompts_;  // the query is the last
  std::vector<float> centres_;
  std::vector<float> spreads_;
  float chance_cosine_ = -1;
};

}  // namespace zeroshelf
