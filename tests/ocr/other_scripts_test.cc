// Tests the reading of other scripts: Greek and Korean, whose fonts and language data ./dev
// installs.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>

#include "lib/ocr/plausibility.h"
#include "lib/ocr/recogniser.h"
#include "lib/ocr/text_reader.h"
#include "models/train/fonts.h"
#include "tests/support/draw.h"

namespace zeroshelf {
namespace {

constexpr const char* kGreekFont = "/usr/share/fonts/truetype/open-sans/OpenSans-Bold.ttf";

// Black on white.
Image written(const std::u32string& text, const char* font_path, int em_px) {
  const train::TextFont font(font_path, 1);
  double width = 2.0 * em_px;
  for (const char32_t c : text) width += font.letter(c, em_px, 0).advance_px;
  Image image = testing::plain_image(static_cast<int>(width), 3 * em_px, {255, 255, 255});
  double pen = em_px;
  for (const char32_t c : text) {
    const train::Letter& letter = font.letter(c, em_px, 0);
    const train::Letter::Coverage& body = letter.body;
    for (int y = 0; y < body.height_px; ++y) {
      for (int x = 0; x < body.width_px; ++x) {
        const int row = 2 * em_px - body.top_px + y;
        const int column = static_cast<int>(pen) + body.left_px + x;
        uint8_t* const pixel =
            image.rgb.data() + 3 * (static_cast<ptrdiff_t>(row) * image.width_px + column);
        const auto level = static_cast<uint8_t>(
            255 - body.alpha[static_cast<size_t>(y) * static_cast<size_t>(body.width_px) +
                             static_cast<size_t>(x)]);
        std::fill_n(pixel, 3, std::min(*pixel, level));
      }
    }
    pen += letter.advance_px;
  }
  return image;
}

}  // namespace

BOOST_AUTO_TEST_CASE(signs_beside_letters_are_no_punctuation) {
  for (const char* text : {"a", "7", "ก", "\u0e34", "\u0e49", "\u093e", "'s"})
    BOOST_TEST(may_be_word(text), text);
  for (const char* text : {"", "-", "...", "\u0e3f"}) BOOST_TEST(!may_be_word(text), text);
  const LineContext line{1, 0.7f};
  BOOST_TEST(plausibility({"\u0e01\u0e34\u0e4c", 0.8f, false, {}, {}}, line) ==
             plausibility({"\u0e01", 0.8f, false, {}, {}}, line));
  BOOST_TEST(plausibility({"\u0e34", 0.97f, false, {}, {}}, line) == 0);
}

// Tesseract is unsure whether to call a letter mu or the micro sign, and how narrow spaces may be.
BOOST_AUTO_TEST_CASE(greek_words_are_as_sure_as_their_letters) {
  TextReader reader({.languages = "ell"});
  for (const std::u32string text :
       {U"Πέντε λεπτά ακόμα και ξεκινάμε", U"Όταν ο σκύλος ακούει βόλτα"}) {
    const std::vector<Word> words = reader.read(written(text, kGreekFont, 40));
    BOOST_TEST(words.size() == 5);
    for (const Word& word : words)
      BOOST_TEST(word.confidence > 0.7f, word.text << ' ' << word.confidence);
  }
}

// Tesseract's detection of scripts takes a few Greek letters for Latin ones.
BOOST_AUTO_TEST_CASE(greek_is_told_from_latin_by_what_it_says) {
  TextReader reader({.languages = kAutoLanguages});
  BOOST_TEST(joined_text(reader.read(written(U"Πέντε λεπτά ακόμα και ξεκινάμε", kGreekFont, 40))) ==
             "Πέντε λεπτά ακόμα και ξεκινάμε");
  BOOST_TEST(joined_text(reader.read(written(U"five minutes and we start", kGreekFont, 40))) ==
             "five minutes and we start");
}

std::string read_korean(const std::u32string& text, const char* font, int em_px) {
  TextReader reader({.languages = "kor"});
  return joined_text(reader.read(written(text, font, em_px)));
}

BOOST_AUTO_TEST_CASE(korean_is_read_with_its_spaces) {
  for (const char* font : {"/usr/share/fonts/truetype/nanum/NanumGothic.ttf",
                           "/usr/share/fonts/truetype/nanum/NanumBarunGothicBold.ttf"}) {
    for (const int em_px : {24, 44}) {
      BOOST_TEST(read_korean(U"고양이가 내 의자를 또 차지했다", font, em_px) ==
                 "고양이가 내 의자를 또 차지했다");
      BOOST_TEST(read_korean(U"할머니는 내가 말랐다고", font, em_px) == "할머니는 내가 말랐다고");
    }
  }
}

}  // namespace zeroshelf
