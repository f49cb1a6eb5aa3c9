#pragma once

// Lines about pictures that several processes write, each of its own, as one text in the order of
// their paths.
//
// Threads: one at a time.

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/util/ranks.h"

namespace zeroshelf {

// Some lines, one after the other, in the order of their paths.
struct OrderedLines {
  struct Line {
    std::string path;
    size_t end = 0;  // in the text
  };
  std::string text;
  std::vector<Line> lines;
};

// What comes next of one rank's lines; nothing: that was all.
using NextLines = std::function<std::optional<OrderedLines>()>;

// All ranks call it together. At the first rank write() gets the lines of all, in the order of their
// paths, equal ones in the order of the ranks; elsewhere it is not called. Never more than some of
// each rank are in memory.
void merge_lines(Ranks& ranks, const NextLines& own,
                 const std::function<void(std::string_view)>& write);

}  // namespace zeroshelf
