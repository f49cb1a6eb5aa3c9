// Tested by tests/labelling/review_test.cc.

#include "lib/labelling/review.h"

#include <algorithm>
#include <queue>
#include <tuple>

namespace zeroshelf {
namespace {

bool is_candidate(const RunEntry& entry, ReviewBy by) {
  if (!entry.label) return false;
  return by == ReviewBy::Margin || (entry.text_label && *entry.text_label != entry.image_label);
}

}  // namespace

Review review(const View& collection, const Run& run, ReviewBy by, size_t k) {
  Review result;
  // The k smallest so far, the largest of them on top; paths break ties.
  std::priority_queue<std::tuple<float, std::string, const RunEntry*>> nearest;
  collection.for_each_record([&](Row, const PictureRecord& record) {
    const RunEntry* const entry = run.find(content_key(record.content_hash));
    if (entry == nullptr || !is_candidate(*entry, by)) return;
    ++result.candidates;
    if (nearest.size() == k && (k == 0 || std::get<0>(nearest.top()) < entry->margin)) return;
    nearest.emplace(entry->margin, record.file.path, entry);
    if (nearest.size() > k) nearest.pop();
  });
  for (; !nearest.empty(); nearest.pop()) {
    const auto& [margin, path, entry] = nearest.top();
    result.items.push_back({path, *entry});
  }
  std::reverse(result.items.begin(), result.items.end());
  return result;
}

}  // namespace zeroshelf
