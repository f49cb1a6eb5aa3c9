#pragma once

// Whether what a query asks for is there at all.
//
// The best of a collection always exists; whether it fits is told by comparing the query with a
// background of some hundred everyday prompts. Cosines cannot be compared as they are: some
// pictures are near to every text, and some names near to every picture. Both have the same cause,
// that the vectors of a kind lie about a mean far from 0; so the cosines are taken about the means,
// the prompts' and the pictures'. What is in a picture then fits it better than nearly all prompts
// do.
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
  Background(const ViewVectors& vectors, const Matrix& prompts, std::span<const float> query);

  // By how many standard deviations of the prompts the query fits the row better than they do on
  // average; by the cosines of the texts less the mean prompt with the row less the mean of the
  // collection (of a sample). What is there mostly has 3 and more.
  float z_score(Row row) const;

  // By what factor the z-score of what is there must be larger, the more particular the query is:
  // the root of its distance to the mean prompt in units of the prompts' median one, which counts
  // from 3/4 to 3/2. 1 for a query like the prompts. What is particular is there less often than
  // what is everyday, which lies near the mean of all names, and so needs more evidence.
  float demand() const { return demand_; }

  // What chance would give the best of all vectors, and any single one (see chance_cosine), by the
  // prompts with a sample of the vectors. -1 for both with a model of which even what fits does not
  // stand out so far that the thousandth of the pairs would: there the cosine tells nothing.
  float chance_of_best() const { return chance_of_best_; }
  float chance_of_one() const { return chance_of_one_; }

 private:
  ViewVectors vectors_;
  Matrix prompts_;  // the query is the last
  // For each row of prompts_:
  std::vector<float> centres_;    // the mean cosine with the collection
  std::vector<float> distances_;  // to the mean prompt
  float demand_ = 1;
  float chance_of_best_ = -1;
  float chance_of_one_ = -1;
};

}  // namespace zeroshelf
