#include "lib/ocr/modern_greek.h"

#include <boost/test/unit_test.hpp>
#include <string>

namespace zeroshelf {
namespace {

std::string today(const std::string& text) {
  RecognisedWord word;
  word.text = text;
  correct_greek(word, false);
  return word.text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(micro_signs_among_greek_letters_are_the_letter_mu) {
  BOOST_TEST(today("\u00b5ήλο") == "\u03bcήλο");
  BOOST_TEST(today("5\u00b5m") == "5\u00b5m");
}

BOOST_AUTO_TEST_CASE(ancient_accents_become_what_is_written_today) {
  BOOST_TEST(today("ποῦ") == "πού");
  BOOST_TEST(today("εἶπε") == "είπε");
  BOOST_TEST(today("τὴν") == "τήν");
  BOOST_TEST(today("προϊόν") == "προϊόν");
  BOOST_TEST(today("ᾳ") == "α");
}

BOOST_AUTO_TEST_CASE(a_breathing_is_the_accent_of_a_word_that_has_no_other) {
  BOOST_TEST(today("ἐχω") == "έχω");
  BOOST_TEST(today("Ὀταν") == "Όταν");
  BOOST_TEST(today("εἰναι") == "είναι");
  BOOST_TEST(today("πἐντε") == "πέντε");
  BOOST_TEST(today("πὠς") == "πώς");
  BOOST_TEST(today("ἀκούει") == "ακούει");
  BOOST_TEST(today("Είδᾷ") == "Είδα");
}

BOOST_AUTO_TEST_CASE(words_of_one_syllable_and_capitals_lose_their_breathing) {
  BOOST_TEST(today("Ἡ") == "Η");
  BOOST_TEST(today("οὐ") == "ου");
  BOOST_TEST(today("Ῥάβω") == "Ράβω");
  BOOST_TEST(today("ἩΛΙΟΣ") == "ΗΛΙΟΣ");
}

BOOST_AUTO_TEST_CASE(ancient_words_keep_their_accents) {
  RecognisedWord word;
  word.text = "εἶπε";
  correct_greek(word, true);
  BOOST_TEST(word.text == "εἶπε");
}

BOOST_AUTO_TEST_CASE(symbols_stay_at_their_letters) {
  RecognisedWord word;
  word.text = "ἐχω";
  word.symbols = {{0, 5}, {3, 15}, {5, 25}};
  correct_greek(word, false);
  BOOST_REQUIRE_EQUAL(word.text, "έχω");
  BOOST_TEST(word.symbols[1].begin == 2);
  BOOST_TEST(word.symbols[2].begin == 4);
}

BOOST_AUTO_TEST_CASE(letters_with_doubles_are_mu_and_accented_vowels) {
  for (const char* letter : {"μ", "\u00b5", "ό", "ὸ", "ἐ"}) BOOST_TEST(has_greek_doubles(letter));
  for (const char* letter : {"α", "m", "é", "й", ""}) BOOST_TEST(!has_greek_doubles(letter));
}

}  // namespace zeroshelf
