// Tested by tests/ocr/reading_order_test.cc.

#include "lib/ocr/logical_order.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>

namespace zeroshelf {
namespace {

// Letters from right to left less those from left to right.
int leftward(const Word& word) {
  int sum = 0;
  const auto size = static_cast<int64_t>(word.text.size());
  for (int64_t i = 0; i < size;) {
    UChar32 c = 0;
    U8_NEXT(word.text.data(), i, size, c);
    if (c < 0) continue;
    const UCharDirection direction = u_charDirection(c);
    if (direction == U_RIGHT_TO_LEFT || direction == U_RIGHT_TO_LEFT_ARABIC) ++sum;
    if (direction == U_LEFT_TO_RIGHT) --sum;
  }
  return sum;
}

}  // namespace

std::vector<Word> in_logical_order(std::vector<Word> line) {
  int sum = 0;
  for (const Word& word : line) sum += leftward(word);
  if (sum <= 0) return line;
  std::ranges::reverse(line);
  const auto is_rightward = [](const Word& word) { return leftward(word) <= 0; };
  for (auto first = line.begin(); first != line.end();) {
    first = std::find_if(first, line.end(), is_rightward);
    const auto last = std::find_if_not(first, line.end(), is_rightward);
    std::reverse(first, last);
    first = last;
  }
  return line;
}

}  // namespace zeroshelf
