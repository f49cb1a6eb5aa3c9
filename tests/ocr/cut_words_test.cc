#include "lib/ocr/cut_words.h"

#include <boost/test/unit_test.hpp>
#include <string>

namespace zeroshelf {
namespace {

constexpr int kSidePx = 30;  // of a letter, which is a square
constexpr int kGapPx = 4;

// A strip of squares, and its letters as words of their own; a blank in the text is a wide gap.
struct Line {
  cv::Mat grey{kSidePx + 20, 1000, CV_8U, cv::Scalar(255)};
  std::vector<RecognisedWord> words;
  int x = 20;

  Line& letters(const std::vector<std::string>& all) {
    for (const std::string& letter : all) {
      if (letter == " ") {
        x += kSidePx / 2;
        continue;
      }
      grey(cv::Rect(x, 10, kSidePx, kSidePx)) = 0;
      words.push_back({letter, 0.9f, false, {x, 10, kSidePx, kSidePx}, {{0, x + kSidePx / 2.0f}}});
      x += kSidePx + kGapPx;
    }
    return *this;
  }

  std::vector<std::string> joined() const {
    std::vector<std::string> texts;
    for (const RecognisedWord& word : join_cut_words(words, grey)) texts.push_back(word.text);
    return texts;
  }
};

using Texts = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_CASE(chinese_japanese_and_thai_have_no_words_inside_a_line) {
  BOOST_TEST((Line().letters({"春", "天", "来", "了", "。"}).joined() == Texts{"春天来了。"}));
  BOOST_TEST(
      (Line().letters({"犬", "は", "コ", "ー", "ヒ", "ー"}).joined() == Texts{"犬はコーヒー"}));
  BOOST_TEST((Line().letters({"ก", "า", "แ", "ฟ"}).joined() == Texts{"กาแฟ"}));
  BOOST_TEST((Line().letters({"2", "年"}).joined() == Texts{"2年"}));
}

BOOST_AUTO_TEST_CASE(korean_syllables_are_together_and_its_spaces_stay) {
  BOOST_TEST(
      (Line().letters({"오", "늘", "은", " ", "집", "에"}).joined() == Texts{"오늘은", "집에"}));
}

BOOST_AUTO_TEST_CASE(korean_spaces_are_where_the_gaps_are_wide_whatever_tesseract_took_for_a_word) {
  Line line;
  line.letters({"고", "양", "이", "가", " ", "내", " ", "의", "자", "를"});
  RecognisedWord whole = line.words.front();
  for (size_t i = 1; i < line.words.size(); ++i) {
    whole.symbols.push_back({whole.text.size(), line.words[i].symbols[0].middle_x});
    whole.text += line.words[i].text;
    whole.box |= line.words[i].box;
  }
  const std::vector<RecognisedWord> words = join_cut_words({whole}, line.grey);
  BOOST_REQUIRE_EQUAL(words.size(), 3u);
  BOOST_TEST(words[0].text == "고양이가");
  BOOST_TEST(words[1].text == "내");
  BOOST_TEST(words[2].text == "의자를");
  BOOST_TEST(words[1].box.x == line.words[4].box.x);
  BOOST_TEST(words[1].box.width == kSidePx);
}

// Fonts whose letters have much room around them part syllables of a word more than others do
// words.
BOOST_AUTO_TEST_CASE(korean_spaces_are_wide_beside_the_lines_other_gaps) {
  const auto parted = [](int gap_px, int space_px) {
    cv::Mat grey(kSidePx + 20, 600, CV_8U, cv::Scalar(255));
    RecognisedWord word;
    word.box = {20, 10, 0, kSidePx};
    int x = 20;
    for (const char* letter : {"오", "늘", "은", "집", "에"}) {
      if (std::string(letter) == "집") x += space_px - gap_px;
      grey(cv::Rect(x, 10, kSidePx, kSidePx)) = 0;
      word.symbols.push_back({word.text.size(), static_cast<float>(x)});
      word.text += letter;
      x += kSidePx + gap_px;
    }
    word.box.width = x - 20;
    return join_cut_words({word}, grey).size();
  };
  BOOST_TEST(parted(1, 9) == 2u);
  BOOST_TEST(parted(10, 20) == 2u);
  BOOST_TEST(parted(9, 10) == 1u);
}

BOOST_AUTO_TEST_CASE(numbers_are_cut_at_no_point) {
  BOOST_TEST((Line().letters({"23", ".84"}).joined() == Texts{"23.84"}));
  BOOST_TEST((Line().letters({"1,", "300"}).joined() == Texts{"1,300"}));
  BOOST_TEST((Line().letters({"12,", "300"}).joined() == Texts{"12,300"}));
  BOOST_TEST((Line().letters({"23", " ", " ", ".84"}).joined() == Texts{"23", ".84"}));
  BOOST_TEST((Line().letters({"at", "23."}).joined() == Texts{"at", "23."}));
}

BOOST_AUTO_TEST_CASE(words_of_scripts_with_spaces_stay_apart) {
  BOOST_TEST((Line().letters({"a", "b"}).joined() == Texts{"a", "b"}));
  BOOST_TEST((Line().letters({"д", "а"}).joined() == Texts{"д", "а"}));
  BOOST_TEST((Line().letters({"春", "a"}).joined() == Texts{"春", "a"}));
  BOOST_TEST(join_cut_words({}, cv::Mat(20, 20, CV_8U, cv::Scalar(255))).empty());
}

BOOST_AUTO_TEST_CASE(a_joined_word_has_the_box_and_the_symbols_of_all_its_parts) {
  const Line line = Line().letters({"春", "天"});
  const std::vector<RecognisedWord> words = join_cut_words(line.words, line.grey);
  BOOST_REQUIRE(words.size() == 1);
  BOOST_TEST(words[0].box.x == 20);
  BOOST_TEST(words[0].box.width == 2 * kSidePx + kGapPx);
  BOOST_REQUIRE(words[0].symbols.size() == 2);
  BOOST_TEST(words[0].symbols[1].begin == 3u);
  BOOST_TEST(std::abs(words[0].confidence - 0.9f) < 1e-6f);
}

}  // namespace zeroshelf
