#include "lib/ocr/joined_words.h"

#include <boost/test/unit_test.hpp>
#include <set>

namespace zeroshelf {
namespace {

constexpr int kHeightPx = 30;
constexpr int kLetterPx = 20;
constexpr int kLetterGapPx = 4;

// A strip whose letters are bars, and its words as Tesseract might have read them.
struct Line {
  cv::Mat grey{kHeightPx, 1000, CV_8U, cv::Scalar(255)};
  std::vector<RecognisedWord> words;
  int x = 20;

  // '_' is a gap of this width that was read as no space.
  Line& word(const std::string& text, int gap_px, bool in_dictionary = false) {
    RecognisedWord word;
    word.confidence = 0.9f;
    word.in_dictionary = in_dictionary;
    word.box = {x, 0, 0, kHeightPx};
    for (const char c : text) {
      if (c == '_') {
        x += gap_px - kLetterGapPx;
        continue;
      }
      grey(cv::Rect(x, 0, kLetterPx, kHeightPx)) = 0;
      word.symbols.push_back({word.text.size(), static_cast<float>(x) + kLetterPx / 2.0f});
      word.text += c;
      x += kLetterPx + kLetterGapPx;
    }
    word.box.width = x - kLetterGapPx - word.box.x;
    words.push_back(word);
    return *this;
  }
  Line& space(int gap_px) {
    x += gap_px - kLetterGapPx;
    return *this;
  }
};

const std::set<std::string> kWords = {"have", "a",      "I",  "in",  "for",  "fora",
                                      "the",  "lights", "re", "'re", "the-", "ca"};

std::string split(const Line& line) {
  std::string text;
  for (const RecognisedWord& word : split_joined(
           line.words, line.grey, [](const std::string& one) { return kWords.contains(one); }))
    text += (text.empty() ? "" : " ") + word.text;
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(joined_words)

BOOST_AUTO_TEST_CASE(words_are_split_at_wide_gaps) {
  BOOST_TEST(split(Line().word("have_a", 14)) == "have a");
  BOOST_TEST(split(Line().word("the_lights_the", 14)) == "the lights the");
}

BOOST_AUTO_TEST_CASE(a_bar_that_stands_alone_is_a_letter) {
  BOOST_TEST(split(Line().word("have_|", 14)) == "have I");
  BOOST_TEST(split(Line().word("have|", 14)) == "have|");
}

BOOST_AUTO_TEST_CASE(the_parts_have_their_own_boxes_and_symbols) {
  const Line line = Line().word("for_the", 16);
  const auto parts = split_joined(line.words, line.grey,
                                  [](const std::string& one) { return kWords.contains(one); });
  BOOST_REQUIRE(parts.size() == 2u);
  const cv::Rect& whole = line.words[0].box;
  BOOST_TEST(parts[0].box.x == whole.x);
  BOOST_TEST(parts[0].box.width == 3 * kLetterPx + 2 * kLetterGapPx);
  BOOST_TEST(parts[1].box.x == parts[0].box.x + parts[0].box.width + 16);
  BOOST_TEST(parts[1].box.x + parts[1].box.width == whole.x + whole.width);
  BOOST_TEST(parts[1].symbols[0].begin == 0u);
  BOOST_TEST(parts[1].confidence == 0.9f);
  BOOST_TEST(parts[1].in_dictionary);
}

BOOST_AUTO_TEST_CASE(narrow_gaps_are_spaces_only_where_the_lines_spaces_are_narrow) {
  BOOST_TEST(split(Line().word("the", 0).space(12).word("have_a", 10)) == "the have a");
  BOOST_TEST(split(Line().word("the", 0).space(20).word("have_a", 10)) == "the havea");
  BOOST_TEST(split(Line().word("have_a", 10)) == "havea");
}

BOOST_AUTO_TEST_CASE(a_gap_like_the_lines_spaces_parts_words_that_nobody_knows) {
  BOOST_TEST(split(Line().word("the", 0).space(16).word("zyx_vw", 15)) == "the zyx vw");
  BOOST_TEST(split(Line().word("the", 0).space(20).word("zyx_vw", 15)) == "the zyxvw");
  BOOST_TEST(split(Line().word("zyx_vw", 15)) == "zyxvw");
}

BOOST_AUTO_TEST_CASE(a_gap_that_is_hardly_wider_than_the_others_is_none) {
  // Letters of a wide font: all gaps are wide.
  BOOST_TEST(split(Line().word("h_a_v_e_a", 14)) == "havea");
}

BOOST_AUTO_TEST_CASE(parts_that_are_no_words_stay_together) {
  BOOST_TEST(split(Line().word("hav_ea", 14)) == "havea");
  BOOST_TEST(split(Line().word("xxxx_a", 14)) == "xxxxa");
}

BOOST_AUTO_TEST_CASE(a_word_of_the_dictionary_is_split_only_at_a_very_wide_gap) {
  BOOST_TEST(split(Line().word("for_a", 13, true)) == "fora");
  BOOST_TEST(split(Line().word("for_a", 16, true)) == "for a");
  BOOST_TEST(split(Line().word("ca_re", 9, true)) == "care");
}

BOOST_AUTO_TEST_CASE(numbers_stay_whole_but_leave_their_units) {
  BOOST_TEST(split(Line().word("2_4", 16)) == "24");
  BOOST_TEST(split(Line().word("23_.72", 16)) == "23.72");
  BOOST_TEST(split(Line().word("23_._72", 16)) == "23.72");
  BOOST_TEST(split(Line().word("24_g", 16)) == "24 g");
  BOOST_TEST(split(Line().word("in_24", 16)) == "in 24");
}

BOOST_AUTO_TEST_CASE(words_that_are_joined_by_a_mark_stay_one) {
  BOOST_TEST(split(Line().word("the-_a", 14)) == "the-a");
  BOOST_TEST(split(Line().word("the_'re", 14)) == "the're");
}

BOOST_AUTO_TEST_CASE(words_without_known_letters_stay_as_they_are) {
  Line line = Line().word("have_a", 14);
  line.words[0].symbols.clear();
  BOOST_TEST(split(line) == "havea");
  BOOST_TEST(split(Line()) == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf
