#include "lib/ocr/scripts.h"

#include <boost/test/unit_test.hpp>

namespace zeroshelf {

using Groups = std::vector<std::string>;

BOOST_AUTO_TEST_CASE(languages_have_their_scripts) {
  BOOST_TEST(script_of_language("eng") == kLatin);
  BOOST_TEST(script_of_language("rus") == "Cyrillic");
  BOOST_TEST(script_of_language("uzb_cyrl") == "Cyrillic");
  BOOST_TEST(script_of_language("uzb") == kLatin);
  BOOST_TEST(script_of_language("chi_sim") == kHanOrKana);
  BOOST_TEST(script_of_language("jpn") == kHanOrKana);
  BOOST_TEST(script_by_name("Japanese") == kHanOrKana);
  BOOST_TEST(script_by_name("Korean") == script_of_language("kor"));
  BOOST_TEST(script_by_name("Greek") == script_of_language("ell"));
}

BOOST_AUTO_TEST_CASE(letters_of_many_strokes_are_read_larger) {
  const double few = least_letter_px("eng");
  for (const char* languages : {"deu+eng", "rus", "ell+eng"})
    BOOST_TEST(least_letter_px(languages) == few);
  for (const char* languages : {"jpn", "chi_sim+eng", "eng+kor", "tha"})
    BOOST_TEST(least_letter_px(languages) > few);
}

BOOST_AUTO_TEST_CASE(languages_of_a_script_are_read_together_with_english) {
  const Groups installed = {"chi_sim", "deu", "eng", "jpn", "jpn_vert", "osd", "rus", "ukr"};
  BOOST_TEST((language_groups(installed, kLatin) == Groups{"eng+deu"}));
  BOOST_TEST((language_groups(installed, "Cyrillic") == Groups{"rus+ukr+eng"}));
  BOOST_TEST((language_groups(installed, kHanOrKana) == Groups{"chi_sim+eng", "jpn+eng"}));
  BOOST_TEST(language_groups(installed, "Greek").empty());
  BOOST_TEST((language_groups({"ell"}, "Greek") == Groups{"ell"}));
}

BOOST_AUTO_TEST_CASE(hangul_and_arabic_have_letters_in_parts) {
  BOOST_TEST(have_stacked_letters("kor"));
  BOOST_TEST(have_stacked_letters("eng+kor"));
  BOOST_TEST(have_stacked_letters("fas"));
  BOOST_TEST(!have_stacked_letters("eng+jpn"));
}

}  // namespace zeroshelf
