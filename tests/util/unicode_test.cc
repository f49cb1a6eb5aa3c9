#include "lib/util/unicode.h"

#include <boost/test/unit_test.hpp>

namespace zeroshelf {

BOOST_AUTO_TEST_CASE(letters_are_the_same_however_their_accents_are_encoded) {
  BOOST_TEST(nfc("cafe\xcc\x81") == "caf\xc3\xa9");
  BOOST_TEST(nfc("caf\xc3\xa9") == "caf\xc3\xa9");
  BOOST_TEST(nfc("Plain.png") == "Plain.png");
  BOOST_TEST(nfc("caf\xe9") == "caf\xe9");  // not UTF-8
}

BOOST_AUTO_TEST_CASE(case_is_folded_by_unicode) {
  BOOST_TEST(folded("IMG_1.JPG") == "img_1.jpg");
  BOOST_TEST(folded("CAFE\xcc\x81") == folded("caf\xc3\xa9"));
  BOOST_TEST(folded("STRASSE") == folded("stra\xc3\x9f"
                                         "e"));
  BOOST_TEST(folded("\xff[a]") == "\xff[a]");
}

BOOST_AUTO_TEST_CASE(punctuation_has_no_letter_digit_or_sign_that_stands_for_something) {
  for (const char* text : {"", " \t", "\"\"", "- ", "?!", "\xe2\x80\xa6", "\xe3\x80\x82"})
    BOOST_TEST(is_punctuation(text), text);
  for (const char* text : {"-a", "3", "\xf0\x9f\x90\xb1", "\xe7\x8c\xab", "$", "+", "\xff"})
    BOOST_TEST(!is_punctuation(text), text);
}

}  // namespace zeroshelf
