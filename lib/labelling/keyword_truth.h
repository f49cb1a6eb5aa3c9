#pragma once

// Pictures whose label is known from their keywords.

#include <cstdint>
#include <functional>
#include <vector>

#include "lib/labelling/truth.h"
#include "lib/util/error.h"

namespace zeroshelf {

struct KeywordTruth {
  Truth truth;
  uint64_t without = 0;     // pictures without a keyword that is a label
  uint64_t several = 0;     // pictures with several of them, which one it is is not known
  uint64_t unreadable = 0;  // sidecars and packets that are no XMP; on_unreadable was told of each
};

// What keywords in sidecars (sidecar_names.h) and in the pictures say, without those that an export
// of ours has written. A keyword is a label where the last of its parts, or more of them, are the
// label's name, by compared_name: "trips/birds/Petrel" is the label "petrel", and "birds/petrel".
// Without labels every keyword is one, and a picture needs to have just one.
KeywordTruth truth_from_keywords(const View& collection, const std::vector<Label>& labels,
                                 const std::function<void(const Error&)>& on_unreadable);

}  // namespace zeroshelf
