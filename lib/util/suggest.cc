// Tested by tests/util/suggest_test.cc.

#include "lib/util/suggest.h"

#include <algorithm>
#include <cstddef>

#include "lib/util/edit_distance.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr size_t kLongestNameBytes = 200;

std::string lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace

std::optional<std::string> nearest_name(std::string_view written,
                                        std::span<const std::string> known) {
  if (written.empty() || written.size() > kLongestNameBytes) return std::nullopt;
  const std::u32string lower = code_points(lower_ascii(written));
  const size_t length = lower.size();
  size_t most = std::min((length + 2) / 3, length > 1 ? length - 1 : 0);
  std::optional<std::string> nearest;
  for (const std::string& name : known) {
    if (name.size() > kLongestNameBytes) continue;
    const std::u32string candidate = code_points(lower_ascii(name));
    const auto distance =
        static_cast<size_t>(edit_distance(lower, candidate, static_cast<int>(most)));
    if (distance > most || distance >= candidate.size()) continue;
    nearest = name;
    if (distance == 0) break;
    most = distance - 1;
  }
  return nearest;
}

std::string did_you_mean(std::string_view written, std::span<const std::string> known) {
  const std::optional<std::string> name = nearest_name(written, known);
  return name ? "; did you mean '" + *name + "'?" : "";
}

}  // namespace zeroshelf
