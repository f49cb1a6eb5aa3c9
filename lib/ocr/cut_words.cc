// Tested by tests/ocr/cut_words_test.cc.

#include "lib/ocr/cut_words.h"

#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cmath>
#include <functional>
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

// "23" and ".84", or "23." and "84", with no more than a narrow space between them.
bool are_one_number(const RecognisedWord& before, const RecognisedWord& after) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_point = [](char c) { return c == '.' || c == ','; };
  const std::string& left = before.text;
  const std::string& right = after.text;
  if (left.empty() || right.empty()) return false;
  const bool begins_with_point =
      right.size() > 1 && is_digit(left.back()) && is_point(right[0]) && is_digit(right[1]);
  const bool ends_with_point = left.size() > 1 && is_digit(left[left.size() - 2]) &&
                               is_point(left.back()) && is_digit(right[0]);
  const int gap = after.box.x - before.box.x - before.box.width;
  return (begins_with_point || ends_with_point) &&
         10 * gap < 7 * std::max(before.box.height, after.box.height);
}

// Hangul is set in squares of one width, so the columns without ink tell where its spaces are.
class HangulLine {
 public:
  HangulLine(const std::vector<RecognisedWord>& words, const cv::Mat& grey) {
    for (const RecognisedWord& word : words) {
      if (word.symbols.empty()) return;
      for (size_t i = 0; i < word.symbols.size(); ++i) {
        const size_t end =
            i + 1 < word.symbols.size() ? word.symbols[i + 1].begin : word.text.size();
        add(word, word.text.substr(word.symbols[i].begin, end - word.symbols[i].begin));
      }
    }
    if (hangul_ < 2 || 3 * hangul_ < 2 * letters_.size()) return;
    find_ink(grey);
    find_spaces();
  }

  // Nothing where the line is not Hangul, or its letters are not as wide as they should be.
  std::optional<std::vector<RecognisedWord>> parted() const {
    if (!words_) return std::nullopt;
    std::vector<RecognisedWord> result;
    size_t first = 0;
    for (size_t i = 0; i < words_->ends.size(); ++i) {
      result.push_back(word_of(first, words_->ends[i]));
      cv::Rect& box = result.back().box;
      box.x = words_->words[i].start;
      box.width = words_->words[i].size();
      first = words_->ends[i];
    }
    return result;
  }

 private:
  struct Letter {
    std::string text;
    const RecognisedWord* word = nullptr;
    float width = 0;  // in widths of a syllable
  };

  void add(const RecognisedWord& word, const std::string& text) {
    constexpr float kMarkWidth = 0.3f;
    constexpr float kLatinWidth = 0.55f;
    const char32_t letter = letter_at(text, false);
    const bool is_hangul = spaces_of(letter) == Spaces::Unsure;
    const bool is_mark = is_anywhere(letter) && !(letter >= '0' && letter <= '9');
    hangul_ += is_hangul ? 1 : 0;
    letters_.push_back({text, &word, is_hangul ? 1 : is_mark ? kMarkWidth : kLatinWidth});
    width_ += letters_.back().width;
  }

  // The columns with ink, in parts, and how high a part is.
  void find_ink(const cv::Mat& grey) {
    constexpr uint8_t kInk = 128;  // and darker
    std::vector<int> heights;
    int top = grey.rows;
    int bottom = 0;
    for (int x = 0; x <= grey.cols; ++x) {
      bool has_ink = false;
      for (int y = 0; x < grey.cols && y < grey.rows; ++y) {
        if (grey.at<uint8_t>(y, x) >= kInk) continue;
        has_ink = true;
        top = std::min(top, y);
        bottom = std::max(bottom, y + 1);
      }
      const bool goes_on = !columns_.empty() && columns_.back().end == x;
      if (has_ink && goes_on) {
        columns_.back().end = x + 1;
      } else if (has_ink) {
        columns_.emplace_back(x, x + 1);
      } else if (goes_on) {
        heights.push_back(bottom - top);
        top = grey.rows;
        bottom = 0;
      }
    }
    if (heights.empty()) return;
    const auto high = heights.begin() + static_cast<ptrdiff_t>(heights.size() * 3 / 4);
    std::ranges::nth_element(heights, high);
    height_ = static_cast<float>(*high);
  }

  struct Parting {
    std::vector<cv::Range> words;  // columns
    std::vector<size_t> ends;      // letters
    float farthest = 0;            // from where a word should end, in widths of a syllable
  };

  float gap_before(size_t i) const {
    return static_cast<float>(columns_[i].start - columns_[i - 1].end) / height_;
  }

  // The words where wider gaps than `least` are spaces; nothing where a word would have no letter.
  std::optional<Parting> parted_at(float least, float usual) const {
    Parting parting;
    parting.words = {columns_[0]};
    for (size_t i = 1; i < columns_.size(); ++i) {
      if (gap_before(i) > least) {
        parting.words.push_back(columns_[i]);
      } else {
        parting.words.back().end = columns_[i].end;
      }
    }
    const auto length_of = [&](const cv::Range& word) {
      return static_cast<float>(word.size()) + usual * height_;
    };
    float all = 0;
    for (const cv::Range& word : parting.words) all += length_of(word);
    float columns = 0;
    float letters = 0;
    size_t letter = 0;
    for (const cv::Range& word : parting.words) {
      const size_t first = letter;
      columns += length_of(word);
      const float want = columns / all * width_;
      while (letter < letters_.size() && letters + letters_[letter].width / 2 < want)
        letters += letters_[letter++].width;
      if (letter == first) return std::nullopt;
      parting.farthest = std::max(parting.farthest, std::abs(want - letters));
      parting.ends.push_back(letter);
    }
    if (letter != letters_.size()) return std::nullopt;
    return parting;
  }

  // What is a space is told by the gaps, and by whether words then are whole letters wide.
  void find_spaces() {
    // Chosen on lines in Debian's Korean fonts, but for those of the test set; all but the first in
    // heights of a syllable.
    constexpr float kStepWeight = 2;
    constexpr float kMoreThanUsual = 0.13f;
    constexpr float kNarrowest = 0.24f;
    constexpr float kWidestStep = 0.2f;
    constexpr float kFarthest = 0.4f;
    std::vector<float> gaps;  // in heights of a syllable, the widest first
    for (size_t i = 1; i < columns_.size(); ++i) gaps.push_back(gap_before(i));
    if (gaps.size() + 1 < letters_.size() / 2 || gaps.empty()) return;
    std::ranges::sort(gaps, std::greater<>());
    // The others are inside letters.
    gaps.resize(std::min(gaps.size(), letters_.size() - 1));
    const float usual = gaps[std::min(gaps.size() - 1, gaps.size() * 3 / 4)];
    const float expected = std::max(kNarrowest, usual + kMoreThanUsual);
    float least_cost = 1e9f;
    for (size_t i = 0; i <= gaps.size(); ++i) {
      const float above =
          i == 0 ? std::max(gaps[0], usual + 2 * kMoreThanUsual) + 0.02f : gaps[i - 1];
      const float below = i == gaps.size() ? 0 : gaps[i];
      const float middle = (above + below) / 2;
      const auto parting = parted_at(middle, usual);
      if (!parting || parting->farthest > kFarthest) continue;
      const float cost = parting->farthest + std::abs(middle - expected) -
                         kStepWeight * std::min(kWidestStep, above - below);
      if (cost >= least_cost) continue;
      least_cost = cost;
      words_ = *parting;
    }
  }

  RecognisedWord word_of(size_t begin, size_t end) const {
    RecognisedWord word;
    float confidence = 0;
    word.in_dictionary = true;
    for (size_t i = begin; i < end; ++i) {
      const Letter& letter = letters_[i];
      word.box = i == begin ? letter.word->box : word.box | letter.word->box;
      word.in_dictionary = word.in_dictionary && letter.word->in_dictionary;
      confidence += letter.word->confidence * static_cast<float>(letter.text.size());
      word.text += letter.text;
    }
    word.confidence = confidence / static_cast<float>(word.text.size());
    return word;
  }

  std::vector<Letter> letters_;
  size_t hangul_ = 0;
  float width_ = 0;                 // of all letters
  std::vector<cv::Range> columns_;  // with ink, without a gap
  float height_ = 0;
  std::optional<Parting> words_;
};

}  // namespace

std::vector<RecognisedWord> join_cut_words(std::vector<RecognisedWord> words, const cv::Mat& grey) {
  if (auto parted = HangulLine(words, grey).parted()) return *std::move(parted);
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
      if (are_one_number(before, word)) {
        append(before, word);
      } else {
        result.push_back(std::move(word));
      }
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
