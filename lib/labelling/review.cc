// Tested by tests/labelling/review_test.cc.

#include "lib/labelling/review.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <queue>
#include <span>
#include <tuple>

#include "lib/util/hash.h"

namespace zeroshelf {
namespace {

bool is_candidate(const RunEntry& entry, ReviewBy by) {
  if (!entry.label) return false;
  return by != ReviewBy::Disagreement ||
         (entry.text_label && *entry.text_label != entry.image_label);
}

// By what the picture is, and not in the order of the contents: in that label vectors are adapted to
// the first ones (ViewVectors::sample), so that these would be answered a little better than others.
double drawn(const ContentHash& content) {
  std::array<std::byte, std::tuple_size_v<ContentHash> + 1> bytes;
  std::ranges::copy(std::as_bytes(std::span(content)), bytes.begin());
  bytes.back() = std::byte{'r'};
  return static_cast<double>(checksum64(bytes));
}

}  // namespace

Review review(const View& collection, const Run& run, ReviewBy by, size_t k) {
  Review result;
  // The k smallest so far, the largest of them on top; paths break ties.
  std::priority_queue<std::tuple<double, std::string, const RunEntry*>> nearest;
  collection.for_each_record([&](Row, const PictureRecord& record) {
    const RunEntry* const entry = run.find(content_key(record.content_hash));
    if (entry == nullptr || !is_candidate(*entry, by)) return;
    ++result.candidates;
    const double place = by == ReviewBy::Chance ? drawn(record.content_hash)
                                                : static_cast<double>(entry->margin);
    if (nearest.size() == k && (k == 0 || std::get<0>(nearest.top()) < place)) return;
    nearest.emplace(place, record.file.path, entry);
    if (nearest.size() > k) nearest.pop();
  });
  for (; !nearest.empty(); nearest.pop()) {
    const auto& [place, path, entry] = nearest.top();
    result.items.push_back({path, *entry});
  }
  std::reverse(result.items.begin(), result.items.end());
  return result;
}

}  // namespace zeroshelf
