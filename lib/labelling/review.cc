// Tested by tests/labelling/review_test.cc.

#include "lib/labelling/review.h"

#include <algorithm>
#include <queue>
#include <utility>

namespace zeroshelf {
namespace {

bool is_candidate(const RunEntry& entry, ReviewBy by) {
  if (!entry.label) return false;
  return by == ReviewBy::Margin || (entry.text_label && *entry.text_label != entry.image_label);
}

}  // namespace

Review review(const View& collection, const Run& run, ReviewBy by, size_t k) {
  Review result;
  // The k smallest so far, the largest of them on top; rows break ties.
  std::priority_queue<std::pair<float, Row>> nearest;
  collection.for_each_record([&](Row row, const PictureRecord& record) {
    const RunEntry* const entry = run.find(content_key(record.content_hash));
    if (entry == nullptr || !is_candidate(*entry, by)) return;
    ++result.candidates;
    nearest.emplace(entry->margin, row);
    if (nearest.size() > k) nearest.pop();
  });
  for (; !nearest.empty(); nearest.pop()) {
    const PictureRecord record = collection.record(nearest.top().second);
    result.items.push_back({record.file.path, *run.find(content_key(record.content_hash))});
  }
  std::reverse(result.items.begin(), result.items.end());
  return result;
}

}  // namespace zeroshelf
