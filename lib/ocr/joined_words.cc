// Tested by tests/ocr/joined_words_test.cc.

#include "lib/ocr/joined_words.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <optional>

namespace zeroshelf {
namespace {

constexpr size_t kMostSplits = 3;

// What is asked of a gap in a word to be a space, chosen on the development set of ./dev bench ocr.
struct Wide {
  float than_letters;  // times the gaps that remain
  float than_spaces;   // times the narrowest space of the line
  float or_heights;    // of the word; so wide a gap is a space whatever the others are
  float heights;       // at least
};
constexpr Wide kWide = {1.5f, 0.75f, 0.4f, 0.25f};
// Words that are in a dictionary as they stand are only split where it is plain to see.
constexpr Wide kWideInAWord = {2.2f, 0.75f, 0.5f, 0.3f};
// A space whatever the words beside it are.
constexpr Wide kPlain = {2.2f, 0.9f, 9, 0.25f};

// Columns without ink between two with ink.
struct Gap {
  int begin = 0;
  int width = 0;

  float middle() const { return static_cast<float>(begin) + static_cast<float>(width) / 2; }
};

// From left to right.
std::vector<Gap> gaps_in(const cv::Mat& grey, const cv::Rect& box) {
  constexpr uint8_t kInk = 128;  // and darker
  std::vector<Gap> gaps;
  int last_ink = -1;
  for (int x = box.x; x < box.x + box.width; ++x) {
    bool has_ink = false;
    for (int y = box.y; y < box.y + box.height && !has_ink; ++y)
      has_ink = grey.at<uint8_t>(y, x) < kInk;
    if (!has_ink) continue;
    if (last_ink >= 0 && x > last_ink + 1) gaps.push_back({last_ink + 1, x - last_ink - 1});
    last_ink = x;
  }
  return gaps;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// In any script.
bool is_letter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 128 || std::isalpha(byte) != 0;
}

// Marks that join: "ice-cream", "don't".
bool touches_a_joint(const std::string& before, const std::string& after) {
  return std::ranges::any_of(std::array{"-", "'", "’", "/"}, [&](const char* joint) {
    return before.ends_with(joint) || after.starts_with(joint);
  });
}

// A number is one word with its point: "2.4".
bool are_one(const std::string& before, const std::string& after) {
  return touches_a_joint(before, after) ||
         (std::ranges::any_of(before, is_digit) && std::ranges::any_of(after, is_digit));
}

// The word cut before these symbols, which are in order.
std::vector<RecognisedWord> cut(const RecognisedWord& word, const std::vector<size_t>& before,
                                const std::vector<Gap>& gaps) {
  std::vector<RecognisedWord> parts;
  size_t first = 0;
  int left = word.box.x;
  for (size_t i = 0; i <= before.size(); ++i) {
    const bool is_last = i == before.size();
    const size_t end = is_last ? word.symbols.size() : before[i];
    const int right = is_last ? word.box.x + word.box.width : gaps[i].begin;
    const size_t begin_byte = word.symbols[first].begin;
    const size_t end_byte = is_last ? word.text.size() : word.symbols[end].begin;
    RecognisedWord part = word;
    part.text = word.text.substr(begin_byte, end_byte - begin_byte);
    part.box.x = left;
    part.box.width = right - left;
    part.symbols.assign(word.symbols.begin() + static_cast<ptrdiff_t>(first),
                        word.symbols.begin() + static_cast<ptrdiff_t>(end));
    for (RecognisedSymbol& symbol : part.symbols) symbol.begin -= begin_byte;
    parts.push_back(std::move(part));
    if (is_last) break;
    left = gaps[i].begin + gaps[i].width;
    first = end;
  }
  return parts;
}

// Nothing where a part would have no symbol, or is no word and had better be one.
std::optional<std::vector<RecognisedWord>> split_at(
    const RecognisedWord& word, std::vector<Gap> gaps, bool of_words,
    const std::function<bool(const std::string&)>& knows) {
  std::ranges::sort(gaps, {}, &Gap::begin);
  std::vector<size_t> before;
  for (const Gap& gap : gaps) {
    const auto at =
        std::ranges::upper_bound(word.symbols, gap.middle(), {}, &RecognisedSymbol::middle_x);
    const auto symbol = static_cast<size_t>(at - word.symbols.begin());
    if (symbol == 0 || symbol == word.symbols.size()) return std::nullopt;
    if (!before.empty() && symbol <= before.back()) return std::nullopt;
    before.push_back(symbol);
  }
  std::vector<RecognisedWord> parts = cut(word, before, gaps);
  const std::string* before_part = nullptr;
  for (RecognisedWord& part : parts) {
    if (part.text == "|") part.text = "I";  // as what Tesseract reads as a word
    part.in_dictionary = knows(part.text);
    const bool is_number = std::ranges::all_of(part.text, is_digit);
    const bool has_letter = std::ranges::any_of(part.text, is_letter);
    // "24 g": units are in no dictionary.
    const bool is_unit = before_part != nullptr && std::ranges::all_of(*before_part, is_digit);
    if (!is_number && !(has_letter && (part.in_dictionary || is_unit || !of_words)))
      return std::nullopt;
    if (before_part != nullptr && are_one(*before_part, part.text)) return std::nullopt;
    before_part = &part.text;
  }
  return parts;
}

// Pixels; nothing where the line is one word.
std::optional<int> narrowest_space(const std::vector<RecognisedWord>& words) {
  std::optional<int> narrowest;
  for (size_t i = 1; i < words.size(); ++i) {
    const cv::Rect& before = words[i - 1].box;
    const int space = words[i].box.x - before.x - before.width;
    if (space > 0) narrowest = std::min(space, narrowest.value_or(space));
  }
  return narrowest;
}

bool is_wide(const Wide& wide, int gap, int widest_letter_gap, std::optional<int> space,
             const RecognisedWord& word) {
  const auto width = static_cast<float>(gap);
  const auto height = static_cast<float>(word.box.height);
  return width >= wide.heights * height &&
         width >= wide.than_letters * static_cast<float>(widest_letter_gap) &&
         (width >= wide.or_heights * height ||
          (space && width >= wide.than_spaces * static_cast<float>(*space)));
}

std::vector<RecognisedWord> parts_of(const RecognisedWord& word, const cv::Mat& grey,
                                     std::optional<int> space,
                                     const std::function<bool(const std::string&)>& knows) {
  std::vector<Gap> gaps = gaps_in(grey, word.box & cv::Rect({}, grey.size()));
  std::ranges::stable_sort(gaps, std::greater<>(), &Gap::width);
  for (size_t splits = 1; splits <= std::min(kMostSplits, gaps.size()); ++splits) {
    const int remaining = splits < gaps.size() ? gaps[splits].width : 0;
    const Wide& wide = word.in_dictionary ? kWideInAWord : kWide;
    if (!is_wide(wide, gaps[splits - 1].width, remaining, space, word)) continue;
    const auto end = gaps.begin() + static_cast<ptrdiff_t>(splits);
    const bool is_plain = is_wide(kPlain, gaps[splits - 1].width, remaining, space, word);
    if (auto parts = split_at(word, {gaps.begin(), end}, !is_plain, knows))
      return *std::move(parts);
  }
  return {word};
}

}  // namespace

std::vector<RecognisedWord> split_joined(std::vector<RecognisedWord> words, const cv::Mat& grey,
                                         const std::function<bool(const std::string&)>& knows) {
  const std::optional<int> space = narrowest_space(words);
  std::vector<RecognisedWord> result;
  for (RecognisedWord& word : words) {
    if (word.symbols.size() < 2) {
      result.push_back(std::move(word));
    } else {
      std::ranges::move(parts_of(word, grey, space, knows), std::back_inserter(result));
    }
  }
  return result;
}

}  // namespace zeroshelf
