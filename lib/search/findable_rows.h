#pragma once

// Which rows a search may find at all.

#include <span>
#include <vector>

#include "lib/search/record_filter.h"
#include "lib/search/search_terms.h"

namespace zeroshelf {

// One a row: whether the filter admits it, every one of `others` (one a row each) has it, its text
// has the query's phrases, and it is not itself what was given to be liked.
std::vector<bool> findable_rows(const View& collection, const RecordFilter& filter,
                                const MadeQuery& made,
                                std::span<const std::vector<bool>> others = {});

}  // namespace zeroshelf
