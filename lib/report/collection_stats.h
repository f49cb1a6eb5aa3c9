#pragma once

// What is in a collection, or in several, as figures.

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "lib/collection/view.h"
#include "lib/report/messages.h"

namespace zeroshelf {

struct CollectionStats {
  Manifest manifest;
  CollectionCounts counts;
  std::string model_path;      // where the model is now
  std::string text_languages;  // as told last; empty: text is not read. Of several the first's
  uint64_t parts = 1;          // collections that are counted together
  std::string shard;           // that it takes, of a single one; empty: it takes every picture
  uint64_t unfinished = 0;     // collections of which an `add` has not come to its end
  std::map<std::string, uint64_t> skip_reasons;
  uint64_t turned = 0;  // pictures whose text lies on its side or its head
  // Pictures with text in a script of none of the languages, by script.
  std::map<std::string, uint64_t> unread_scripts;
};

// Reads all records; go_on is asked now and then, and what it throws ends it. Throws Corruption,
// Io. Where other processes have more parts, all call it together, and the first one has the
// figures of all parts.
CollectionStats collection_stats(const View& view, const std::function<void()>& go_on = {});

// The figures must outlive it.
message::Stats message_of(const CollectionStats& stats);

}  // namespace zeroshelf
