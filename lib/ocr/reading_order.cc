// Tested by tests/ocr/reading_order_test.cc.

#include "lib/ocr/reading_order.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <tuple>

#include "lib/ocr/median.h"

namespace zeroshelf {
namespace {

// What is asked of columns of running text, so that a table or a receipt is none.
constexpr size_t kFewestLines = 3;
constexpr size_t kFewestWords = 3;  // in a middling line
constexpr float kFullLine = 0.7f;   // part of its column's width; half of the lines are so long
constexpr float kLeastGutter = 1;   // in heights of a middling line
constexpr float kLeastSideBySide = 0.5f;  // part of the shorter column that has text beside it

// A line on a page that is level. Lengths are pixels.
struct Placed {
  size_t number = 0;
  size_t words = 0;
  float left = 0;
  float right = 0;
  float centre = 0;  // from top to bottom
  float height = 0;
};
using Block = std::vector<Placed>;

float middle_x(const Word& word) {
  return static_cast<float>(word.box.x) + static_cast<float>(word.box.width) / 2;
}
float middle_y(const Word& word) {
  return static_cast<float>(word.box.y) + static_cast<float>(word.box.height) / 2;
}

// dy / dx: the median of the slopes between the tops, and between the bottoms, of two words of a
// line (Theil and Sen), in which words far apart count for more. Boxes that are off do no harm.
float common_slope(std::span<const std::vector<Word>> lines) {
  constexpr float kSteepest = 0.14f;  // 8 degrees: as steep as lines are looked for
  struct Slope {
    float value = 0;
    float weight = 0;
  };
  std::vector<Slope> slopes;
  float whole = 0;
  for (const std::vector<Word>& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) {
      for (size_t j = i + 1; j < line.size(); ++j) {
        const Box& a = line[i].box;
        const Box& b = line[j].box;
        const float run = middle_x(line[j]) - middle_x(line[i]);
        if (run <= 0) continue;
        slopes.push_back({static_cast<float>(b.y - a.y) / run, run});
        slopes.push_back({static_cast<float>(b.y + b.height - a.y - a.height) / run, run});
        whole += 2 * run;
      }
    }
  }
  std::ranges::sort(slopes, {}, &Slope::value);
  float so_far = 0;
  for (const Slope& slope : slopes) {
    so_far += slope.weight;
    if (so_far >= whole / 2) return std::clamp(slope.value, -kSteepest, kSteepest);
  }
  return 0;
}

Block placed(std::span<const std::vector<Word>> lines) {
  const float slope = common_slope(lines);
  Block block;
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::vector<Word>& line = lines[i];
    Placed one;
    one.number = i;
    one.words = line.size();
    one.left = static_cast<float>(line.front().box.x);
    one.right = static_cast<float>(line.back().box.x + line.back().box.width);
    one.centre =
        median(line, [&](const Word& word) { return middle_y(word) - slope * middle_x(word); });
    one.height = median(line, [](const Word& word) { return static_cast<float>(word.box.height); });
    block.push_back(one);
  }
  std::ranges::sort(block, {},
                    [](const Placed& one) { return std::tuple(one.centre, one.left, one.number); });
  return block;
}

bool in_one_row(const Placed& a, const Placed& b) {
  const float overlap = (a.height + b.height) / 2 - std::abs(a.centre - b.centre);
  return overlap > std::min(a.height, b.height) / 2;
}

// From top to bottom, each from left to right. block: from top to bottom.
std::vector<Block> rows_of(const Block& block) {
  std::vector<Block> rows;
  for (const Placed& one : block) {
    if (rows.empty() || !in_one_row(rows.back().front(), one)) rows.emplace_back();
    rows.back().push_back(one);
  }
  for (Block& row : rows) {
    std::ranges::sort(
        row, {}, [](const Placed& one) { return std::tuple(one.left, one.centre, one.number); });
  }
  return rows;
}

void append_rows(const Block& block, std::vector<size_t>& order) {
  for (const Block& row : rows_of(block)) {
    for (const Placed& one : row) order.push_back(one.number);
  }
}

float middling_height(const Block& block) {
  return median(block, [](const Placed& one) { return one.height; });
}

float left_of(const Block& block) {
  return std::ranges::min_element(block, {}, &Placed::left)->left;
}
float right_of(const Block& block) {
  return std::ranges::max_element(block, {}, &Placed::right)->right;
}

bool is_running_text(const Block& block) {
  const std::vector<Block> rows = rows_of(block);
  if (rows.size() < kFewestLines) return false;
  const auto words_of = [](const Block& row) {
    size_t words = 0;
    for (const Placed& one : row) words += one.words;
    return words;
  };
  const float full = kFullLine * (right_of(block) - left_of(block));
  const auto is_full = [&](const Block& row) { return right_of(row) - left_of(row) >= full; };
  return median(rows, words_of) >= kFewestWords &&
         2 * std::ranges::count_if(rows, is_full) >= static_cast<ptrdiff_t>(rows.size());
}

// From top to bottom, where a block has lines; the space between lines counts as theirs.
struct Stretch {
  float begin = 0;
  float end = 0;
};
std::vector<Stretch> stretches_of(const Block& block) {
  std::vector<Stretch> stretches;
  for (const Placed& one : block) {
    const Stretch next{one.centre - one.height, one.centre + one.height};
    if (stretches.empty() || next.begin > stretches.back().end) {
      stretches.push_back(next);
    } else {
      stretches.back().end = std::max(stretches.back().end, next.end);
    }
  }
  return stretches;
}

float length_of(const std::vector<Stretch>& stretches) {
  float sum = 0;
  for (const Stretch& one : stretches) sum += one.end - one.begin;
  return sum;
}

float shared_length(const std::vector<Stretch>& a, const std::vector<Stretch>& b) {
  float sum = 0;
  for (const Stretch& one : a) {
    for (const Stretch& other : b)
      sum += std::max(0.0f, std::min(one.end, other.end) - std::max(one.begin, other.begin));
  }
  return sum;
}

bool are_columns(const Block& left, const Block& right) {
  if (!is_running_text(left) || !is_running_text(right)) return false;
  const float height = std::max(middling_height(left), middling_height(right));
  if (left_of(right) - right_of(left) < kLeastGutter * height) return false;
  const std::vector<Stretch> beside_left = stretches_of(left);
  const std::vector<Stretch> beside_right = stretches_of(right);
  return shared_length(beside_left, beside_right) >=
         kLeastSideBySide * std::min(length_of(beside_left), length_of(beside_right));
}

// Parts of a page from top to bottom: rows, or columns with a gutter between.
struct Part {
  Block rows;
  Block left;
  Block right;
};

// Lines that cross the gutter end the columns above them and are rows.
std::vector<Part> parts_at(float gutter, const Block& block) {
  std::vector<Part> parts(1);
  Block zone;
  Block left;
  Block right;
  const auto end_zone = [&] {
    if (are_columns(left, right)) {
      parts.push_back({{}, std::move(left), std::move(right)});
      parts.emplace_back();
    } else {
      std::ranges::move(zone, std::back_inserter(parts.back().rows));
    }
    zone.clear();
    left.clear();
    right.clear();
  };
  for (const Placed& one : block) {
    if (one.left < gutter && one.right > gutter) {
      end_zone();
      parts.back().rows.push_back(one);
      continue;
    }
    zone.push_back(one);
    (one.right <= gutter ? left : right).push_back(one);
  }
  end_zone();
  return parts;
}

size_t lines_in_columns(const std::vector<Part>& parts) {
  size_t sum = 0;
  for (const Part& part : parts) sum += part.left.size() + part.right.size();
  return sum;
}

// block: from top to bottom.
void append(const Block& block, std::vector<size_t>& order) {
  std::vector<Part> best;
  if (block.size() >= 2 * kFewestLines) {
    for (const Placed& one : block) {
      std::vector<Part> parts = parts_at(one.right + one.height / 2, block);
      if (lines_in_columns(parts) > lines_in_columns(best)) best = std::move(parts);
    }
  }
  if (best.empty()) return append_rows(block, order);
  for (const Part& part : best) {
    append(part.rows, order);  // which may have gutters elsewhere
    append(part.left, order);
    append(part.right, order);
  }
}

}  // namespace

std::vector<size_t> reading_order(std::span<const std::vector<Word>> lines) {
  std::vector<size_t> order;
  append(placed(lines), order);
  return order;
}

}  // namespace zeroshelf
