// Tested by tests/labels/label_tree_test.cc.

#include "lib/labels/label_tree.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>

#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr char kSlash = '/';
// What begins every level of a name is kept; a deeper name has none.
constexpr size_t kMostLevels = 16;

// One part: the name has no levels.
std::vector<std::string> parts_of(const std::string& name) {
  std::vector<std::string> parts;
  for (std::string_view rest = name;;) {
    const size_t end = rest.find(kSlash);
    const std::string_view part = rest.substr(0, end);
    if (trimmed(part).empty() || part == "." || part == ".." || parts.size() == kMostLevels)
      return {name};
    parts.emplace_back(part);
    if (end == std::string_view::npos) return parts;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace

uint32_t LabelTree::depth() const {
  uint32_t deepest = 0;
  for (const Place& place : places) deepest = std::max(deepest, place.depth);
  return deepest;
}

LabelTree tree_of(std::span<const std::string> names) {
  std::vector<std::vector<std::string>> parts;
  std::unordered_map<std::string, size_t> beginning;
  for (const std::string& name : names) {
    parts.push_back(parts_of(name));
    ++beginning[parts.back().front()];
  }
  const auto has_levels = [](const std::vector<std::string>& name) { return name.size() > 1; };
  LabelTree tree;
  const bool is_tree = std::ranges::any_of(parts, [&](const std::vector<std::string>& name) {
    return has_levels(name) && beginning.at(name.front()) > 1;
  });
  if (!is_tree) return tree;

  tree.places.resize(names.size());
  std::unordered_map<std::string, uint32_t> place_of;
  for (uint32_t i = 0; i < names.size(); ++i) place_of.emplace(names[i], i);
  for (uint32_t i = 0; i < names.size(); ++i) {
    if (!has_levels(parts[i])) continue;
    std::optional<uint32_t> parent;
    std::string path;
    for (size_t level = 0; level < parts[i].size(); ++level) {
      if (level > 0) path += kSlash;
      path += parts[i][level];
      const auto [at, is_new] = place_of.emplace(path, static_cast<uint32_t>(tree.places.size()));
      if (is_new) {
        tree.nodes.push_back(path);
        tree.places.emplace_back();
      }
      tree.places[at->second] = {parent, static_cast<uint32_t>(level + 1)};
      parent = at->second;
    }
  }
  return tree;
}

std::vector<std::string> levels_of(const LabelTree& tree, uint32_t place, const std::string& name) {
  if (place >= tree.places.size() || tree.places[place].depth == 1) return {name};
  return parts_of(name);
}

std::vector<std::string> spoken_names(std::span<const std::string> names) {
  std::vector<std::string> spoken(names.begin(), names.end());
  const LabelTree tree = tree_of(names);
  if (tree.empty()) return spoken;
  std::map<std::string, size_t> times;
  for (uint32_t i = 0; i < names.size(); ++i)
    ++times[spoken[i] = levels_of(tree, i, names[i]).back()];
  for (uint32_t i = 0; i < names.size(); ++i) {
    const std::vector<std::string> levels = levels_of(tree, i, names[i]);
    if (levels.size() > 1 && times[levels.back()] > 1)
      spoken[i] = levels.back() + ", " + levels[levels.size() - 2];
  }
  return spoken;
}

}  // namespace zeroshelf
