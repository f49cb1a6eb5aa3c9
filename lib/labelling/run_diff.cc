// Tested by tests/labelling/run_diff_test.cc.

#include "lib/labelling/run_diff.h"

#include <algorithm>
#include <map>
#include <utility>

namespace zeroshelf {
namespace {

using Place = std::optional<uint32_t>;

std::vector<Transition> named(const std::map<std::pair<Place, Place>, uint64_t>& counts,
                              const Run& before, const Run& after) {
  std::vector<Transition> transitions;
  for (const auto& [places, pictures] : counts)
    transitions.push_back(
        {label_name(before, places.first), label_name(after, places.second), pictures});
  std::stable_sort(
      transitions.begin(), transitions.end(),
      [](const Transition& a, const Transition& b) { return a.pictures > b.pictures; });
  return transitions;
}

// The place in `after` of every label of `before`; beyond the labels where it has none.
std::vector<Place> same_names(const Run& before, const Run& after) {
  std::map<std::string, uint32_t> places;
  for (const Label& label : after.labels)
    places.emplace(label.name, static_cast<uint32_t>(places.size()));
  std::vector<Place> result;
  for (const Label& label : before.labels) {
    const auto found = places.find(label.name);
    result.push_back(found == places.end() ? UINT32_MAX : found->second);
  }
  return result;
}

}  // namespace

std::optional<std::string> label_name(const Run& run, std::optional<uint32_t> label) {
  return label ? std::optional(run.labels[*label].name) : std::nullopt;
}

RunDiff diff_runs(const View& collection, const Run& before, const Run& after) {
  RunDiff diff;
  const std::vector<Place> in_after = same_names(before, after);
  std::map<std::pair<Place, Place>, uint64_t> counts;
  collection.for_each_record([&](Row row, const PictureRecord& record) {
    const ContentKey key = content_key(record.content_hash);
    const RunEntry* const old = before.find(key);
    const RunEntry* const now = after.find(key);
    diff.only_before += old != nullptr && now == nullptr;
    diff.only_after += old == nullptr && now != nullptr;
    diff.in_neither += old == nullptr && now == nullptr;
    if (old == nullptr || now == nullptr) return;
    ++counts[{old->label, now->label}];
    const Place was = old->label ? in_after[*old->label] : std::nullopt;
    if (was == now->label) {
      ++diff.same;
    } else {
      diff.moved.push_back({row, record.file.path, old, now});
    }
  });
  std::ranges::stable_sort(diff.moved, {}, &MovedPicture::path);
  diff.transitions = named(counts, before, after);
  return diff;
}

}  // namespace zeroshelf
