#pragma once

// Labels for who has none: groups of pictures that belong together, and a name for each.
//
// A picture is described by two directions of unit length: its vector less the mean of all, and what
// the names of the vocabulary say of it (the mean of their vectors, by a softmax of its similarities
// at twice the model's scale, less the mean of all). Names bring together what looks different and is
// called the same, and part what looks alike. k-means (Lloyd, from the best of some beginnings of
// k-means++) groups a sample, for each of some numbers of groups; the number is the smallest one
// whose mean silhouette is nearly the best one. Then every picture goes to the group whose mean is
// nearest, or to none where the mean of all is as near.
//
// docs/labelling.md has how well that works on true vectors.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "lib/collection/view.h"
#include "lib/labels/labels.h"
#include "lib/util/matrix.h"

namespace zeroshelf {

struct NameVocabulary {
  std::vector<Label> names;
  Matrix vectors;  // one a name, of unit length; both may be empty
};

struct SuggestOptions {
  std::optional<size_t> groups;  // absent: as the pictures have it
  unsigned threads = 0;          // 0: every core; no result depends on it
};

// A word or keyword that a group's pictures have much more often than others.
struct SharedWord {
  std::string word;
  double share = 0;  // of the group's pictures; of keywords, of those that were read
};

struct SuggestedGroup {
  std::string name;              // empty: no name of the vocabulary, keyword or word fits
  std::optional<uint32_t> from;  // where in the vocabulary the name stands; absent: it is a keyword or word
  std::vector<uint32_t> also;    // names of the vocabulary that fit nearly as well, best first
  std::vector<SharedWord> words;
  uint64_t pictures = 0;
  std::vector<Row> typical;  // a few pictures, the nearest to the group's mean first
  std::vector<SharedWord> keywords = {};  // that people gave them, see shared_keywords.h
};

struct SuggestedOverlap {
  size_t first = 0;  // groups
  size_t second = 0;
  double share = 0;  // of the smaller one's pictures: they are nearly as near to the other one
};

inline constexpr uint32_t kNoGroup = std::numeric_limits<uint32_t>::max();

struct Suggestion {
  std::vector<SuggestedGroup> groups;      // largest first, those without a name last
  std::vector<SuggestedOverlap> overlaps;  // largest first
  uint64_t pictures = 0;
  uint64_t alone = 0;  // in no group
  std::vector<Row> alone_rows;    // some of them, those farthest from any group first
  std::vector<uint32_t> of_row;   // its group, or kNoGroup; of removed rows kNoGroup
};

// The same answer with any number of threads and parts. Cost: one pass over the rows with the
// vocabulary, and a second or two; 12 bytes a row; the files of the sample are read for their
// keywords. A picture whose vector holds what is no number is in
// no group.
Suggestion suggest(const View& collection, const NameVocabulary& vocabulary,
                   const SuggestOptions& options = {});

}  // namespace zeroshelf
