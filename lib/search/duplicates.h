#pragma once

// Pictures of a collection that say the same twice.

#include <vector>

#include "lib/collection/view.h"

namespace zeroshelf {

enum class DuplicateKind {
  SamePicture,  // the same content, or nearly the same picture with the same words or none
  OtherWords,   // nearly the same picture with other words on it
  SameWords,    // the same words (three or more) on another picture
  SameFile,     // one file under several names: links, and folders with several paths
};
// "same_picture", "other_words", "same_words", "same_file"
const char* duplicate_kind_name(DuplicateKind kind);

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
  std::vector<Row> rows;  // by path, two or more
};

// By kind, and then by the path of the first; none of SameFile. Blank pictures are the same only where their
// files are. A picture may be in groups of different kinds. Reads the words of
// all pictures; time grows as rows x log(rows), see lib/vectors/near_pairs.h.
std::vector<DuplicateGroup> find_duplicates(const View& collection, const DuplicateLimits& limits);

struct DuplicatesOnDisk {
  std::vector<DuplicateGroup> groups;  // those of SameFile come last
  std::vector<Row> gone;               // that were left out, by path
};

// What the groups are once the files are looked at. Of the names of one file a group keeps one, the
// file's own rather than a link's. A picture whose file is gone is left out of groups in which a
// file is there. Groups of fewer than two are none.
DuplicatesOnDisk look_at_files(const View& collection,
                               const std::vector<DuplicateGroup>& groups);

// The pictures that may be removed so that one of each group stays: all but the first, and never
// one that stays in another group. Each once.
std::vector<Row> all_but_first(const std::vector<DuplicateGroup>& groups);

}  // namespace zeroshelf
