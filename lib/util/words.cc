// What can be told from words alone, without Tesseract.
// Tested by tests/ocr/text_reader_test.cc.

#include "lib/util/words.h"

namespace zeroshelf {

std::string joined_text(const std::vector<Word>& words) {
  std::string text;
  for (const Word& word : words) {
    if (!text.empty()) text += ' ';
    text += word.text;
  }
  return text;
}

float mean_confidence(const std::vector<Word>& words) {
  double sum = 0;
  double length = 0;
  for (const Word& word : words) {
    sum += static_cast<double>(word.confidence) * static_cast<double>(word.text.size());
    length += static_cast<double>(word.text.size());
  }
  return length > 0 ? static_cast<float>(sum / length) : 0.0f;
}

}  // namespace zeroshelf
