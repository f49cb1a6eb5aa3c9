// Tested by tests/search/findable_rows_test.cc.

#include "lib/search/findable_rows.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "lib/search/search.h"

namespace zeroshelf {

std::vector<bool> findable_rows(const View& collection, const RecordFilter& filter,
                                const MadeQuery& made, std::span<const std::vector<bool>> others) {
  std::vector<bool> rows = admitted_rows(collection, filter);
  for (const std::vector<bool>& other : others)
    std::transform(rows.begin(), rows.end(), other.begin(), rows.begin(), std::logical_and());
  if (!made.query.lexical.phrases.empty()) {
    std::vector<bool> with_phrases(rows.size());
    for (const Row row : rows_with_phrases(collection.lexicons(), made.query.lexical.phrases))
      with_phrases[row] = rows[row];
    rows = std::move(with_phrases);
  }
  for (const Row row : made.liked) rows[row] = false;
  return rows;
}

}  // namespace zeroshelf
