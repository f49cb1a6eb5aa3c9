// Tested by tests/ocr/pipeline_test.cc.

#include "lib/ocr/plausibility.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>

namespace zeroshelf {
namespace {

struct Shape {
  int letters = 0;
  int digits = 0;
  int others = 0;
  int changes_to_upper = 0;  // a capital after a small letter
};

Shape shape_of(const std::string& text) {
  Shape shape;
  bool was_lower = false;
  const auto size = static_cast<int64_t>(text.size());
  for (int64_t i = 0; i < size;) {
    UChar32 c = 0;
    U8_NEXT(text.data(), i, size, c);
    if (c < 0) continue;
    if (u_isalpha(c)) {
      ++shape.letters;
    } else if (u_isdigit(c)) {
      ++shape.digits;
    } else if ((U_GET_GC_MASK(c) & U_GC_M_MASK) == 0) {
      ++shape.others;
    }
    if (was_lower && u_isupper(c)) ++shape.changes_to_upper;
    was_lower = u_islower(c) != 0;
  }
  return shape;
}

}  // namespace

float plausibility(const RecognisedWord& word, const LineContext& line) {
  const Shape shape = shape_of(word.text);
  const int length = shape.letters + shape.digits;
  if (length == 0) return 0;
  float value = word.confidence;
  if (word.in_dictionary && length >= 4) value += 0.05f;
  // Short words come from anywhere; among sure neighbours they are welcome.
  if (line.confidence < 0.85f) value -= length <= 2 ? 0.25f : 0;
  if (shape.changes_to_upper > 0) value -= 0.1f;
  if (shape.letters > 0 && shape.digits > 0) value -= 0.1f;
  if (shape.others > length) value -= 0.3f;
  value += 0.2f * (std::min(line.confidence, 0.9f) - 0.9f) + 0.2f * (line.quality - 1);
  return std::clamp(value, 0.0f, 1.0f);
}

}  // namespace zeroshelf
