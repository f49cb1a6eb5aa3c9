#include "lib/lexicon/letters.h"

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <sstream>

#include "lib/lexicon/tokens.h"
#include "lib/util/edit_distance.h"
#include "lib/util/text.h"

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
    std::vector<float> nats = letter_evidence(placed(parts), letter_query(query), rows).nats;
    nats.resize(rows);
    return nats;
  }
  size_t best(const std::string& query) const {
    const std::vector<float> nats = evidence(query);
    return static_cast<size_t>(std::max_element(nats.begin(), nats.end()) - nats.begin());
  }
  std::vector<uint64_t> with(const std::string& query) const {
    return rows_with_phrases(placed(parts), letter_query(query).phrases);
  }
};

const std::vector<std::string> kTexts = {"he wants his money back", "his money he wants",
                                         "she wants a raccoon",     "THE RACOON, wants MONEY!",
                                         "a desert island for two", "adesertisland and more",
                                         "money money money",       "desert island"};

// The evidence as the header defines it, from every text and nothing else. Texts are of lower-case
// ASCII words.
class Exhaustive {
 public:
  Exhaustive(const std::vector<std::string>& texts, const std::string& query)
      : evidence_(texts.size()) {
    for (const std::string& text : texts) texts_.push_back(terms_of(text));
    const std::vector<std::string> words = terms_of(query);
    std::vector<std::string> different;
    for (const std::string& word : words) {
      if (std::find(different.begin(), different.end(), word) == different.end())
        different.push_back(word);
    }
    for (const auto& text : texts_) mean_length_ += static_cast<double>(text.size());
    mean_length_ /= static_cast<double>(texts.size());
    for (const std::string& word : different) add_word(word, words);
    add_order(words);
  }

  const std::vector<float>& evidence() const { return evidence_; }

 private:
  static constexpr int kNone = 9;

  // How a term stands for a word, each way counted: as itself, and as this word with its neighbour.
  static std::vector<int> ways(const std::string& word, const std::string& term,
                               const std::vector<std::string>& words) {
    std::vector<int> found;
    const int allowed = allowed_edits(word.size());
    const int distance = edit_distance(code_points(word), code_points(term), allowed);
    if (distance <= allowed) found.push_back(distance);
    for (size_t i = 0; i + 1 < words.size(); ++i) {
      if (words[i] + words[i + 1] != term) continue;
      found.insert(found.end(), (words[i] == word) + (words[i + 1] == word), 1);
    }
    return found;
  }
  static bool stands_for(const std::string& word, const std::string& term,
                         const std::vector<std::string>& words) {
    return !ways(word, term, words).empty();
  }

  void add_word(const std::string& word, const std::vector<std::string>& words) {
    std::vector<int> least(texts_.size(), kNone);
    std::map<std::string, std::vector<int>> of_terms;
    std::array<double, 3> holding = {};  // with at most so many edits
    for (size_t i = 0; i < texts_.size(); ++i) {
      for (const std::string& term : std::set(texts_[i].begin(), texts_[i].end())) {
        const auto [at, is_new] = of_terms.try_emplace(term);
        if (is_new) at->second = ways(word, term, words);
        for (const int edits : at->second) {
          least[i] = std::min(least[i], edits);
          for (int e = edits; e < 3; ++e) ++holding[e];
        }
      }
    }
    for (size_t i = 0; i < texts_.size(); ++i) {
      if (least[i] == kNone) continue;
      const double nats = std::max(
          0.0, -std::log((holding[least[i]] + 0.5) / (static_cast<double>(texts_.size()) + 50)));
      const double longer = std::log(static_cast<double>(texts_[i].size()) / mean_length_);
      evidence_[i] += static_cast<float>(std::max(0.0, nats - std::max(0.0, longer)));
    }
  }

  void add_order(const std::vector<std::string>& words) {
    std::vector<size_t> order(texts_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return evidence_[a] > evidence_[b]; });
    order.resize(std::min<size_t>(order.size(), 4096));
    for (const size_t text : order) {
      if (evidence_[text] <= 0) continue;
      for (size_t i = 0; i + 1 < words.size(); ++i) {
        bool follow = false;
        for (size_t at = 0; at < texts_[text].size(); ++at) {
          const std::string& term = texts_[text][at];
          follow = follow || term == words[i] + words[i + 1];
          follow = follow || (at + 1 < texts_[text].size() && stands_for(words[i], term, words) &&
                              stands_for(words[i + 1], texts_[text][at + 1], words));
        }
        if (follow) evidence_[text] += static_cast<float>(std::log(mean_length_));
      }
    }
  }

  std::vector<std::vector<std::string>> texts_;
  double mean_length_ = 0;
  std::vector<float> evidence_;
};

BOOST_AUTO_TEST_SUITE(letters)

// More texts with evidence than the 4,096 whose order is looked at, of equal evidence many.
BOOST_AUTO_TEST_CASE(evidence_is_what_looking_at_every_text_gives) {
  std::mt19937 random(5);
  std::vector<std::string> vocabulary;
  for (int i = 0; i < 150; ++i) {
    std::string word(2 + random() % 6, 'a');
    for (char& letter : word) letter = static_cast<char>(letter + random() % 4);
    vocabulary.push_back(word);
  }
  const auto word = [&] { return vocabulary[random() % (1 + random() % vocabulary.size())]; };
  std::vector<std::string> many;
  for (int i = 0; i < 9000; ++i) {
    std::string text = word();
    for (size_t j = random() % 8; j > 0; --j) text += (random() % 9 > 0 ? " " : "") + word();
    many.push_back(text);
  }
  size_t above_zero = 0;
  for (int i = 0; i < 12; ++i) {
    std::string query = vocabulary[random() % 150];
    for (int j = i % 4; j > 0; --j) query += " " + word();
    if (i % 3 == 0) query[random() % query.size()] = 'a';
    const Texts texts(many, i % 2 == 0 ? SIZE_MAX : 0);
    const std::vector<float> expected = Exhaustive(many, query).evidence();
    const std::vector<float> found = texts.evidence(query);
    size_t wrong = 0;
    for (size_t row = 0; row < many.size(); ++row)
      wrong += std::abs(found[row] - expected[row]) > 1e-4f;
    BOOST_TEST_CONTEXT("query " << query) BOOST_TEST(wrong == 0u);
    above_zero = std::max<size_t>(above_zero, static_cast<size_t>(std::ranges::count_if(
                                                  found, [](float n) { return n > 0; })));
  }
  BOOST_TEST(above_zero > 4096u);
}

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
  const LetterEvidence evidence =
      letter_evidence(placed(texts.parts), letter_query("the unicorn"), 200);
  BOOST_TEST(evidence.complete > 4 * *std::max_element(evidence.nats.begin(), evidence.nats.end()));
  BOOST_TEST(letter_evidence(placed(texts.parts), letter_query("unicorn"), 200).nats.empty());
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
