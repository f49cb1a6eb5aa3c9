#pragma once

// Hits as they are told: one by one, or pictures that are nearly the same together.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "lib/lexicon/lexical_match.h"
#include "lib/report/messages.h"
#include "lib/search/gathered_hits.h"
#include "lib/search/search.h"

namespace zeroshelf {

// A hit with the pictures that are nearly the same.
struct HitGroup {
  SearchHit hit;
  std::vector<Row> similar;
};

std::vector<HitGroup> single_hits(const std::vector<SearchHit>& hits);
// The first `count` groups, in the order of their best hits.
std::vector<HitGroup> group_hits(const HitFacts& facts, uint32_t dimension,
                                 const std::vector<SearchHit>& hits, size_t count);

// Which evidence counts most: "picture", "text" or "letters".
std::string_view found_by(const SearchHit& hit, SearchSpace space);

bool is_gone(const std::string& path);

// Everything but the rank. words and path must outlive it.
message::Hit hit_message(const HitFacts& facts, const HitGroup& group, const std::string& path,
                         const std::vector<Word>& words, const std::vector<MatchedWord>& matches,
                         SearchSpace space);

}  // namespace zeroshelf
