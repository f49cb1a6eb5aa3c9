// Tested by tests/util/suggest_test.cc.

#include "lib/util/suggest.h"

#include <unicode/utf8.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace zeroshelf {
namespace {

constexpr size_t kLongestNameBytes = 200;

std::vector<int32_t> characters(std::string_view bytes) {
  std::vector<int32_t> result;
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  const auto size = static_cast<int64_t>(bytes.size());
  for (int64_t i = 0; i < size;) {
    const int64_t start = i;
    UChar32 c = 0;
    U8_NEXT(data, i, size, c);
    if (c < 0) {  // one at a time, each unlike any character
      i = start + 1;
      c = -static_cast<int32_t>(data[start]);
    }
    result.push_back(c);
  }
  return result;
}

std::string lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b) {
  const std::vector<int32_t> from = characters(a);
  const std::vector<int32_t> to = characters(b);
  // The last three rows of the table of distances between beginnings.
  std::vector<size_t> before(to.size() + 1);
  std::vector<size_t> last(to.size() + 1);
  std::vector<size_t> row(to.size() + 1);
  for (size_t j = 0; j <= to.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= from.size(); ++i) {
    std::swap(before, last);
    std::swap(last, row);
    row[0] = i;
    for (size_t j = 1; j <= to.size(); ++j) {
      const size_t replaced = last[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[to.size()];
}

std::optional<std::string> nearest_name(std::string_view written,
                                        std::span<const std::string> known) {
  if (written.empty() || written.size() > kLongestNameBytes) return std::nullopt;
  const std::string lower = lower_ascii(written);
  const size_t length = characters(lower).size();
  size_t least = std::min((length + 2) / 3, length > 1 ? length - 1 : 0) + 1;
  std::optional<std::string> nearest;
  for (const std::string& name : known) {
    if (name.size() > kLongestNameBytes) continue;
    const size_t distance = edit_distance(lower, lower_ascii(name));
    if (distance >= least || distance >= characters(name).size()) continue;
    least = distance;
    nearest = name;
  }
  return nearest;
}

std::string did_you_mean(std::string_view written, std::span<const std::string> known) {
  const std::optional<std::string> name = nearest_name(written, known);
  return name ? "; did you mean '" + *name + "'?" : "";
}

}  // namespace zeroshelf
