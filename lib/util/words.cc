// What can be told from words alone, without Tesseract.
// Tested by tests/ocr/text_reader_test.cc.

#include "lib/util/words.h"

#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <algorithm>

namespace zeroshelf {
namespace {

char32_t first_letter(const std::string& text) {
  UChar32 c = 0;
  int64_t i = 0;
  U8_NEXT_OR_FFFD(text.data(), i, static_cast<int64_t>(text.size()), c);
  return static_cast<char32_t>(c);
}

char32_t last_letter(const std::string& text) {
  UChar32 c = 0;
  auto i = static_cast<int32_t>(text.size());
  U8_PREV_OR_FFFD(text.data(), 0, i, c);
  return static_cast<char32_t>(c);
}

// Whether the second word goes on where the first ends: beside it, or at the beginning of the row
// below.
bool follows(const Box& first, const Box& second) {
  const int height = std::max(first.height, second.height);
  const bool is_in_row = first.y < second.y + second.height && second.y < first.y + first.height;
  if (is_in_row) return second.x - (first.x + first.width) <= height / 2;
  return second.y - (first.y + first.height) <= height;
}

}  // namespace

bool writes_no_spaces(char32_t letter) {
  // Full-width marks are of no script.
  if ((letter >= 0x3000 && letter <= 0x303f) || (letter >= 0xff01 && letter <= 0xff60)) return true;
  UErrorCode error = U_ZERO_ERROR;
  switch (uscript_getScript(static_cast<UChar32>(letter), &error)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
      return true;
    default:
      // The mark that makes a kana long.
      return letter == 0x30fc;
  }
}

std::string joined_text(const std::vector<Word>& words) {
  std::string text;
  const Word* before = nullptr;
  for (const Word& word : words) {
    const bool is_one = before != nullptr && !word.text.empty() && !before->text.empty() &&
                        writes_no_spaces(last_letter(before->text)) &&
                        writes_no_spaces(first_letter(word.text)) && follows(before->box, word.box);
    if (before != nullptr && !is_one) text += ' ';
    text += word.text;
    before = &word;
  }
  return text;
}

float mean_confidence(const std::vector<Word>& words) {
  double sum = 0;
  double length = 0;
  for (const Word& word : words) {
    const auto weight = static_cast<double>(std::max<size_t>(1, word.text.size()));
    sum += static_cast<double>(word.confidence) * weight;
    length += weight;
  }
  return length > 0 ? static_cast<float>(sum / length) : 0.0f;
}

}  // namespace zeroshelf
