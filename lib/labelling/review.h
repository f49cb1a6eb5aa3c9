#pragma once

// The answers that a person should look at first.

#include <cstdint>
#include <string>
#include <vector>

#include "lib/labelling/run.h"

namespace zeroshelf {

enum class ReviewBy {
  Margin,        // the answers whose next label was nearest
  Disagreement,  // those whose picture and text say different labels; the nearest first
  // Any of them: a fair sample, the same every time, of which fewer are the first of more.
  Chance,
};

struct ReviewItem {
  std::string path;
  RunEntry entry;
};

struct Review {
  std::vector<ReviewItem> items;  // at most k; in the order that was asked for, equal ones by path
  uint64_t candidates = 0;        // how many there were to choose from
};

// Pictures without an answer are no candidates.
Review review(const View& collection, const Run& run, ReviewBy by, size_t k);

}  // namespace zeroshelf
