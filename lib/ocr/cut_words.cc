// Tested by tests/ocr/cut_words_test.cc.

#include "lib/ocr/cut_words.h"

#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <optional>

#include "lib/ocr/median.h"
#include "lib/util/words.h"

namespace zeroshelf {
namespace {

// In widths of a letter, from middle to middle.
constexpr float kSpace = 0.24f;    // a gap that is a space in Korean
constexpr float kWideGap = 0.75f;  // a gap that parts what has no spaces

enum class Spaces { Written, None, Unsure };

Spaces spaces_of(char32_t letter) {
  if (writes_no_spaces(letter)) return Spaces::None;
  UErrorCode error = U_ZERO_ERROR;
  return uscript_getScript(static_cast<UChar32>(letter), &error) == USCRIPT_HANGUL
             ? Spaces::Unsure
             : Spaces::Written;
}

char32_t letter_at(const std::string& text, bool last) {
  const auto size = static_cast<int32_t>(text.size());
  UChar32 c = 0;
  int32_t i = last ? size : 0;
  if (last) {
    U8_PREV_OR_FFFD(text.data(), 0, i, c);
  } else {
    U8_NEXT_OR_FFFD(text.data(), i, size, c);
  }
  return static_cast<char32_t>(c);
}

// Digits and marks are at home in every script.
bool is_anywhere(char32_t letter) {
  return letter < 128 && !((letter | 32) >= 'a' && (letter | 32) <= 'z');
}

// Between the columns from begin to end: the widest part without ink.
int widest_gap(const cv::Mat& grey, int begin, int end) {
  constexpr uint8_t kInk = 128;  // and darker
  int widest = 0;
  int gap = 0;
  for (int x = std::max(0, begin); x < std::min(end, grey.cols); ++x) {
    bool has_ink = false;
    for (int y = 0; y < grey.rows && !has_ink; ++y) has_ink = grey.at<uint8_t>(y, x) < kInk;
    gap = has_ink ? 0 : gap + 1;
    widest = std::max(widest, gap);
  }
  return widest;
}

// The median distance from letter to letter; nothing where there are not two.
std::optional<float> pitch_of(const std::vector<RecognisedWord>& words) {
  std::vector<float> steps;
  const RecognisedSymbol* before = nullptr;
  for (const RecognisedWord& word : words) {
    for (const RecognisedSymbol& symbol : word.symbols) {
      if (before != nullptr && symbol.middle_x > before->middle_x)
        steps.push_back(symbol.middle_x - before->middle_x);
      before = &symbol;
    }
  }
  if (steps.empty()) return std::nullopt;
  return median(steps);
}

void append(RecognisedWord& word, const RecognisedWord& next) {
  const auto weight = static_cast<float>(word.text.size());
  const auto added = static_cast<float>(next.text.size());
  word.confidence =
      (word.confidence * weight + next.confidence * added) / std::max(1.0f, weight + added);
  word.in_dictionary = word.in_dictionary && next.in_dictionary;
  word.box |= next.box;
  for (RecognisedSymbol symbol : next.symbols) {
    symbol.begin += word.text.size();
    word.symbols.push_back(symbol);
  }
  word.text += next.text;
}

}  // namespace

std::vector<RecognisedWord> join_cut_words(std::vector<RecognisedWord> words, const cv::Mat& grey) {
  const std::optional<float> pitch = pitch_of(words);
  if (!pitch) return words;
  std::vector<RecognisedWord> result;
  for (RecognisedWord& word : words) {
    if (result.empty() || result.back().symbols.empty() || word.symbols.empty()) {
      result.push_back(std::move(word));
      continue;
    }
    RecognisedWord& before = result.back();
    const char32_t last = letter_at(before.text, true);
    const char32_t first = letter_at(word.text, false);
    const Spaces left = spaces_of(is_anywhere(last) ? first : last);
    const Spaces right = spaces_of(is_anywhere(first) ? last : first);
    if (left == Spaces::Written || right == Spaces::Written) {
      result.push_back(std::move(word));
      continue;
    }
    const float most = left == Spaces::None && right == Spaces::None ? kWideGap : kSpace;
    const int gap = widest_gap(grey, static_cast<int>(before.symbols.back().middle_x),
                               static_cast<int>(word.symbols.front().middle_x));
    if (static_cast<float>(gap) <= most * *pitch) {
      append(before, word);
    } else {
      result.push_back(std::move(word));
    }
  }
  return result;
}

}  // namespace zeroshelf
