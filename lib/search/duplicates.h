#pragma once

// Pictures of a collection that say the same twice.

#include <vector>

#include "lib/collection/view.h"

namespace zeroshelf {

enum class DuplicateKind {
  SamePicture,  // the same file, or nearly the same picture with the same words or none
  OtherWords,   // nearly the same picture with other words on it
  SameWords,    // the same words (three or more) on another picture
};
const char* duplicate_kind_name(DuplicateKind kind);  // "same_picture", "other_words", "same_words"

struct DuplicateLimits {
  // Cosine from which pictures are nearly the same. Under other words it is asked of the pictures
  // with their text blanked out where the collection has those vectors (--mask-text), else of the
  // whole pictures, whose cosine other words lower: then by half of what is left to 1 more.
  float picture_cosine = 0.97f;
  // Words are the same when they share this part of all that either has (Jaccard).
  float same_words = 0.6f;
  unsigned threads = 0;
};

struct DuplicateGroup {
  DuplicateKind kind = DuplicateKind::SamePicture;
  std::vector<Row> rows;  // ascending, two or more
};

// By kind, and then by first row. A picture may be in groups of different kinds. Reads the words of
// all pictures; time grows as rows x log(rows), see lib/vectors/near_pairs.h.
std::vector<DuplicateGroup> find_duplicates(const View& collection, const DuplicateLimits& limits);

}  // namespace zeroshelf
