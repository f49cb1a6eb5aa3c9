#pragma once

// Pairs of rows that are nearly the same, without comparing all with all.
//
// Rows whose signs agree under some random projections fall into one bucket (Charikar 2002), in
// several tables with projections of their own; only rows near each other in a bucket are compared,
// then exactly. The projections see the vectors less their mean, since embeddings of one kind lie
// close together. It finds nearly all pairs, not provably all: of rows around 64 random directions,
// pairs of cosine 0.98 and more are found to 99 % and better (tests/vectors/near_pairs_test.cc).
// Time and memory grow with rows x log(rows): 100 bytes a row.

#include <functional>
#include <span>
#include <vector>

#include "lib/vectors/vector_rows.h"

namespace zeroshelf {

struct NearPair {
  Row first = 0;
  Row second = 0;  // above first
  float cosine = 0;

  bool operator==(const NearPair&) const = default;
};

// Every pair once, in row order. Of a burst of very many near rows each is paired with some of the
// others, enough to join them all. Rows for which keep returns false are passed over. The same rows
// give the same pairs. threads = 0 uses every core.
std::vector<NearPair> near_pairs(const VectorRows& vectors, const std::function<bool(Row)>& keep,
                                 float least_cosine, unsigned threads = 0);
// Among these rows. Which pairs of a burst are found follows from the vectors and the order in which
// the rows are given, not from their numbers.
std::vector<NearPair> near_pairs(const VectorRows& vectors, std::span<const Row> rows,
                                 float least_cosine, unsigned threads = 0);

}  // namespace zeroshelf
