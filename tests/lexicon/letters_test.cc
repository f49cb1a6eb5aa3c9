#include "lib/lexicon/letters.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <sstream>

namespace zeroshelf {
namespace {

std::vector<Word> words_of(const std::string& text) {
  std::vector<Word> words;
  std::istringstream in(text);
  for (std::string word; in >> word;) words.push_back({word, 1, {}});
  return words;
}

// Row i holds text i; the first `in_main` in one lexicon, the rest in another.
struct Texts {
  std::vector<Lexicon> parts;
  uint64_t rows;

  explicit Texts(const std::vector<std::string>& texts, size_t in_main = SIZE_MAX)
      : rows(texts.size()) {
    LexiconBuilder main;
    LexiconBuilder tail;
    for (size_t i = 0; i < texts.size(); ++i)
      (i < in_main ? main : tail).add(i, words_of(texts[i]));
    parts.push_back(Lexicon::of_bytes(std::move(main).finish({0, 0, rows})));
    parts.push_back(Lexicon::of_bytes(std::move(tail).finish({0, 0, rows})));
  }

  std::vector<float> evidence(const std::string& query) const {
    std::vector<float> nats = letter_evidence(parts, letter_query(query), rows).nats;
    nats.resize(rows);
    return nats;
  }
  size_t best(const std::string& query) const {
    const std::vector<float> nats = evidence(query);
    return static_cast<size_t>(std::max_element(nats.begin(), nats.end()) - nats.begin());
  }
  std::vector<uint64_t> with(const std::string& query) const {
    return rows_with_phrases(parts, letter_query(query).phrases);
  }
};

const std::vector<std::string> kTexts = {"he wants his money back", "his money he wants",
                                         "she wants a raccoon",     "THE RACOON, wants MONEY!",
                                         "a desert island for two", "adesertisland and more",
                                         "money money money",       "desert island"};

BOOST_AUTO_TEST_SUITE(letters)

BOOST_AUTO_TEST_CASE(quotes_make_phrases) {
  const LetterQuery query = letter_query("big \"Red Apple\" and \"pie");
  BOOST_TEST((query.words == std::vector<std::string>{"big", "red", "apple", "and", "pie"}));
  BOOST_TEST(query.phrases.size() == 2);
  BOOST_TEST((query.phrases[0] == std::vector<std::string>{"red", "apple"}));
  BOOST_TEST(letter_query("\"\" x").phrases.empty());
}

BOOST_AUTO_TEST_CASE(phrases_are_found_as_written_in_both_parts) {
  for (const size_t in_main : {size_t{0}, size_t{3}, SIZE_MAX}) {
    const Texts texts(kTexts, in_main);
    BOOST_TEST((texts.with("\"his money\"") == std::vector<uint64_t>{0, 1}));
    BOOST_TEST((texts.with("\"wants his money\"") == std::vector<uint64_t>{0}));
    BOOST_TEST((texts.with("\"money money\"") == std::vector<uint64_t>{6}));
    BOOST_TEST((texts.with("\"he wants\" \"his money\"") == std::vector<uint64_t>{0, 1}));
    BOOST_TEST(texts.with("\"money his\"").empty());
    BOOST_TEST(texts.with("\"racoo wants\"").empty());
  }
}

BOOST_AUTO_TEST_CASE(the_text_with_the_words_in_their_order_is_first) {
  for (const size_t in_main : {size_t{1}, SIZE_MAX}) {
    const Texts texts(kTexts, in_main);
    BOOST_TEST(texts.best("he wants his money back") == 0);
    BOOST_TEST(texts.best("his money he wants") == 1);
    BOOST_TEST(texts.best("hw wamts hiz mony bakc") == 0);
    BOOST_TEST(texts.best("desert island") == 7);
  }
}

BOOST_AUTO_TEST_CASE(a_word_as_written_says_more_than_one_with_edits) {
  const Texts texts(kTexts);
  const std::vector<float> nats = texts.evidence("raccoon");
  BOOST_TEST(nats[2] > nats[3]);
  BOOST_TEST(nats[3] > 0);
  BOOST_TEST(nats[0] == 0);
}

BOOST_AUTO_TEST_CASE(words_that_lost_their_space_are_found) {
  const Texts texts({"desertisland now", "something else", "other words"});
  BOOST_TEST(texts.best("a desert island") == 0);
}

BOOST_AUTO_TEST_CASE(rare_words_say_more_and_absent_words_are_asked_for) {
  std::vector<std::string> many(200, "the cat");
  many[7] = "the zebra";
  const Texts texts(many);
  const std::vector<float> nats = texts.evidence("the zebra");
  BOOST_TEST(nats[7] > 5 * nats[8]);
  const LetterEvidence evidence = letter_evidence(texts.parts, letter_query("the unicorn"), 200);
  BOOST_TEST(evidence.complete > 4 * *std::max_element(evidence.nats.begin(), evidence.nats.end()));
  BOOST_TEST(letter_evidence(texts.parts, letter_query("unicorn"), 200).nats.empty());
}

BOOST_AUTO_TEST_CASE(matched_words_are_named_with_their_edits) {
  const auto words = words_of("THE RACOON, wants MONEY! desertisland");
  const auto matches = matched_words(letter_query("raccoon money desert island"), words);
  BOOST_REQUIRE(matches.size() == 3);
  BOOST_TEST(matches[0].word == 1);
  BOOST_TEST(matches[0].query_word == "raccoon");
  BOOST_TEST(matches[0].edits == 1);
  BOOST_TEST(matches[1].edits == 0);
  BOOST_TEST(matches[2].query_word == "desert island");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
