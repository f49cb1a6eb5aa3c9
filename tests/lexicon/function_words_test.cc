#include "lib/lexicon/function_words.h"

#include <boost/test/unit_test.hpp>

namespace zeroshelf {
namespace {

BOOST_AUTO_TEST_SUITE(function_words)

BOOST_AUTO_TEST_CASE(each_language_has_its_own) {
  BOOST_TEST(is_function_word("the", "eng"));
  BOOST_TEST(!is_function_word("the", "deu"));
  BOOST_TEST(is_function_word("the", "deu+eng"));
  BOOST_TEST(is_function_word("die", "eng+deu"));
  BOOST_TEST(!is_function_word("die", "eng"));  // somebody dies
  BOOST_TEST(!is_function_word("the", ""));
  BOOST_TEST(!is_function_word("the", "xyz+"));
  BOOST_TEST(!is_function_word("skull", "eng+deu+fra+spa+ita+por+nld+swe+dan+nor+pol+rus+tur"));
}

// As terms are: folded, without diacritics and apostrophes.
BOOST_AUTO_TEST_CASE(they_are_terms) {
  BOOST_TEST(is_function_word("fur", "deu"));
  BOOST_TEST(is_function_word("dont", "eng"));
  BOOST_TEST(is_function_word("при", "rus"));
}

BOOST_AUTO_TEST_CASE(what_is_typed_to_find_something_is_none) {
  for (const char* word : {"cat", "man", "time", "go", "want", "money", "new", "old", "one", "hell", "shell",
                           "well", "ill"})
    BOOST_TEST_CONTEXT(word) BOOST_TEST(!is_function_word(word, "eng"));
}

BOOST_AUTO_TEST_CASE(every_list_is_read) {
  BOOST_TEST(languages_with_function_words().size() == 13u);
  BOOST_TEST(is_function_word("und", "deu"));
  BOOST_TEST(is_function_word("bir", "tur"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
