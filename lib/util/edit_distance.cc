// Tested by tests/util/edit_distance_test.cc.

#include "lib/util/edit_distance.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

namespace zeroshelf {
namespace {

constexpr size_t kShort = 64;  // words up to here need no memory

// The last three rows of the table of distances between beginnings, `lines` being room for them.
int distance_in(std::u32string_view a, std::u32string_view b, int limit, int* lines) {
  int* before = lines;  // two letters of a ago
  int* last = before + b.size() + 1;
  int* line = last + b.size() + 1;
  for (size_t j = 0; j <= b.size(); ++j) last[j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    line[0] = static_cast<int>(i);
    int least = line[0];
    for (size_t j = 1; j <= b.size(); ++j) {
      int best =
          std::min({last[j] + 1, line[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        best = std::min(best, before[j - 2] + 1);
      line[j] = best;
      least = std::min(least, best);
    }
    if (least > limit) return limit + 1;
    std::swap(before, last);
    std::swap(last, line);
  }
  return std::min(last[b.size()], limit + 1);
}

}  // namespace

int edit_distance(std::u32string_view a, std::u32string_view b, int limit) {
  const size_t difference = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (difference > static_cast<size_t>(limit)) return limit + 1;
  if (b.size() <= kShort) {
    std::array<int, 3 * (kShort + 1)> lines;
    return distance_in(a, b, limit, lines.data());
  }
  std::vector<int> lines(3 * (b.size() + 1));
  return distance_in(a, b, limit, lines.data());
}

}  // namespace zeroshelf
