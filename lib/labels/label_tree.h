#pragma once

// Labels whose names have levels: "animal/bird/petrel".
//
// A '/' parts levels in a list where what stands before the first one begins another label too, or
// is one: in "animal/bird/petrel, animal/cat, car", and not in "AC/DC, Abba". Names with an empty
// level, "." or "..", or more than 16 levels have none.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace zeroshelf {

// Whether a '/' in a label's name parts levels, or is a letter of it.
enum class Slash { Level, Letter };

struct LabelTree {
  struct Place {
    std::optional<uint32_t> parent;  // a place; absent at the top
    uint32_t depth = 1;              // at the top
  };
  // One a label, then one a node; empty: no label has levels.
  std::vector<Place> places;
  // The levels above labels that are no labels themselves ("animal", "animal/bird"), in the order
  // in which they first appear.
  std::vector<std::string> nodes;

  bool empty() const { return places.empty(); }
  uint32_t depth() const;  // the largest; 0 of none
};

// Names are distinct. Of labels and their nodes it is the same tree, without nodes.
LabelTree tree_of(std::span<const std::string> names);

// The levels of a label in the tree, or its name alone.
std::vector<std::string> levels_of(const LabelTree& tree, uint32_t place, const std::string& name);

// By what each label is called in prompts: its last level, with the one above where that stands for
// two labels ("bat, sport"); names without levels as they are.
std::vector<std::string> spoken_names(std::span<const std::string> names);

}  // namespace zeroshelf
