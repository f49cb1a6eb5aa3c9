#pragma once

// A drawn collection of 200 pictures and its runs.

#include <string>

#include "lib/labelling/run.h"
#include "tests/programs/drawn_collection.h"
#include "tests/support/asked.h"

namespace zeroshelf::testing {

inline bool same_entries(const RunEntry& a, const RunEntry& b) {
  return a.key == b.key && a.label == b.label && a.source == b.source &&
         a.image_label == b.image_label && a.text_label == b.text_label && a.score == b.score &&
         a.margin == b.margin;
}

struct RunShelf : DrawnCollection {
  RunShelf() : DrawnCollection(200) {}

  Run run(const std::string& rule) const {
    const View collection = open();
    const Fusion fusion = default_fusion(collection, rule);
    return make_run(collection, labelling_of(vectors, fusion, labels));
  }
};

}  // namespace zeroshelf::testing
