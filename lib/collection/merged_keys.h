#pragma once

// The rows of all parts of a view in one order, of their paths or of their contents.
//
// Threads: any.

#include <functional>
#include <string_view>

#include "lib/collection/view.h"

namespace zeroshelf {

// Live rows in the order of the bytes of their paths; a path that several parts have, in the order
// of the parts. Throws what reading the parts throws.
void for_each_path(const View& collection, const std::function<void(Row row)>& visit);

// Live rows in the order of their contents' hashes. visit returns whether to go on.
void for_each_content(const View& collection,
                      const std::function<bool(const ContentHash& hash, Row row)>& visit);

}  // namespace zeroshelf
