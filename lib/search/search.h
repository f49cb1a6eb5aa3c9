#pragma once

// Search: one query, compared with the pictures, with the meaning of the text in them, and with the
// words of that text; the three kinds of evidence are added.
//
// Each kind is counted in nats: how unlikely it would be for a picture of this collection, taken at
// random, to fit the query as well. For cosines, with c and s the centre and the spread of the
// query's cosines over the collection (the median, and the median less the 16th percentile: the
// side without the hits) and Q the upper tail of the normal distribution,
//
//     nats = -ln(2 Q((cosine - c) / s))
//
// which is 0 for the median picture, 3.1 at two spreads and 5.9 at three. For words see
// lib/lexicon/lexical_match.h. A picture without text has 0 nats of both kinds. So kinds of
// evidence whose cosines live on different scales (a fitting picture has about 0.25, a fitting text
// 0.7) are comparable, for every model and every query, and independent evidence adds up (Fisher
// 1925).
//
// Threads: any; a call uses several itself.

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "lib/collection/view.h"
#include "lib/lexicon/lexical_match.h"

namespace zeroshelf {

enum class SearchSpace { Picture, Text, Both };

// Which rows are looked at: BySize takes the collection's approximate index where it has one and
// the filter keeps a tenth of the rows or more. Every other way gives the hits of EveryRow.
enum class SearchReach { BySize, EveryRow };

struct SearchQuery {
  std::vector<float> picture;  // unit vector compared with the pictures
  std::vector<float> text;  // unit vector compared with the texts; empty: it says nothing of texts
  LexicalQuery lexical;     // may be empty; counts in the spaces Text and Both

  // The same vector for both.
  static SearchQuery of_vector(std::span<const float> vector) {
    return {{vector.begin(), vector.end()}, {vector.begin(), vector.end()}, {}};
  }
};

struct SearchHit {
  Row row = 0;
  float score = 0;                  // nats of all kinds that the space has
  float image_score = 0;            // cosine of the query and the picture
  std::optional<float> text_score;  // cosine of the query and the text in it, if it has any
  float image_nats = 0;
  float text_nats = 0;
  float lexical_nats = 0;
  bool lexical_fits = false;      // see LexicalEvidence::fits
  bool any_lexical_fits = false;  // that of any picture of the collection
  std::optional<bool> fits = {};  // what SearchLimits::fits says; absent where that is empty
};

struct SearchLimits {
  size_t count = 10;
  SearchSpace space = SearchSpace::Both;
  std::function<bool(Row)> keep = {};  // empty: all. Removed rows are never found.
  unsigned threads = 0;                // 0: every core
  SearchReach reach = SearchReach::BySize;
  // Only hits that this is true of, before the best `count` are taken; empty: all. It is called
  // from several threads at once, for what may be among the best.
  std::function<bool(const SearchHit&)> fits = {};
  bool weak = false;  // the others, too, behind all of these
};

// Where other processes have more parts (lib/collection/elsewhere.h), all of them call what is here
// together, with the same query; each finds the best of its own parts, with the scores that they have
// in the whole. gathered_hits.h brings them together.

// The best live pictures, best first, what fits before what does not, equal ones by path. In
// SearchSpace::Text only pictures with text are found. With the approximate index some of the best
// may be missing; those that are found have the scores that they have without it, to the bit.
// Throws InvalidArgument for vectors of another dimension, and in SearchSpace::Text for a query
// without a vector for texts.
std::vector<SearchHit> search(const View& collection, const SearchQuery& query,
                              const SearchLimits& limits);

// Where most of the cosines of a query lie.
struct CosineSpread {
  float centre = 0;
  float spread = 1;

  float standardised(float cosine) const { return (cosine - centre) / spread; }
};
// cosines: all those of a collection or an even sample of them. Without any: 0 and 1.
CosineSpread spread_of(std::vector<float> cosines);

// -ln(2 Q(z)).
double nats_of(double z);

// The spread over vectors.sample(count).
CosineSpread sampled_spread(const ViewVectors& vectors, std::span<const float> query, size_t count,
                            unsigned threads = 0);

}  // namespace zeroshelf
