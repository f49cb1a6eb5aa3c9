#include "lib/lexicon/lexical_match.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <map>
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
    std::vector<float> nats = lexical_evidence(placed(parts), lexical_query(query), rows).nats;
    nats.resize(rows);
    return nats;
  }
  std::vector<uint64_t> fitting(const std::string& query) const {
    const LexicalEvidence evidence =
        lexical_evidence(placed(parts), lexical_query(query, "eng"), rows);
    std::vector<uint64_t> found;
    for (uint64_t row = 0; row < evidence.fits.size(); ++row)
      if (evidence.fits[row]) found.push_back(row);
    return found;
  }
  size_t best(const std::string& query) const {
    const std::vector<float> nats = evidence(query);
    return static_cast<size_t>(std::max_element(nats.begin(), nats.end()) - nats.begin());
  }
  std::vector<uint64_t> with(const std::string& query) const {
    return rows_with_phrases(placed(parts), lexical_query(query).phrases);
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
  struct Resemblance {
    bool begins = false;
    bool holds = false;
    bool joined = false;
    bool singular = false;
    int edits = 9;

    bool any(int allowed) const {
      return begins || holds || joined || singular || edits <= allowed;
    }
  };

  static Resemblance resemblance(const std::string& word, const std::string& term,
                                 const std::vector<std::string>& words) {
    Resemblance found;
    found.edits = edit_distance(code_points(word), code_points(term), 2);
    found.begins = word.size() >= 3 && term.starts_with(word);
    found.holds = word.size() >= 4 && term.find(word) != std::string::npos;
    const bool hisses = std::string("hosxz").find(term.back()) != std::string::npos;
    found.singular = term.size() >= 3 && (word == term + "s" || (hisses && word == term + "es"));
    for (size_t i = 0; i + 1 < words.size(); ++i) {
      found.joined = found.joined || (words[i] + words[i + 1] == term &&
                                      (words[i] == word || words[i + 1] == word));
    }
    return found;
  }
  bool stands_for(const std::string& word, const std::string& term,
                  const std::vector<std::string>& words) const {
    Resemblance found = resemblance(word, term, words);
    found.holds = found.holds && !written_.contains(word);
    return found.any(allowed_edits(code_points(word)));
  }

  double surprise(double with) const {
    return std::max(0.0, -std::log((with + 0.5) / (static_cast<double>(texts_.size()) + 50)));
  }

  static double share_of_beginning(const std::string& word, const std::string& term) {
    if (term == word + "s" || term == word + "es") return 0.95;
    return 0.8 + 0.1 * static_cast<double>(word.size()) / static_cast<double>(term.size());
  }
  static bool is_apart(const std::string& word, const std::string& first,
                       const std::string& second) {
    return word.size() >= 5 && first.size() >= 2 && second.size() >= 2 && word == first + second;
  }
  // Whether the term at a place of a text stands for the word, by itself or with a neighbour.
  bool stands_at(const std::string& word, const std::vector<std::string>& text, size_t at,
                 const std::vector<std::string>& words) const {
    return stands_for(word, text[at], words) ||
           (at > 0 && is_apart(word, text[at - 1], text[at])) ||
           (at + 1 < text.size() && is_apart(word, text[at], text[at + 1]));
  }

  // What each term counts for the word, one after the other as the header has it.
  void add_word(const std::string& word, const std::vector<std::string>& words) {
    std::map<std::string, double> texts_with;
    for (const auto& text : texts_)
      for (const std::string& term : std::set(text.begin(), text.end())) ++texts_with[term];
    double whole = 0;
    double begun = 0;
    double singular = 0;
    for (const auto& [term, count] : texts_with) {
      if (resemblance(word, term, words).singular) singular += count;
      if (term == word) whole += count;
      if (term == word || resemblance(word, term, words).begins) begun += count;
    }
    if (begun > 0) written_.insert(word);
    std::map<std::string, double> nats;
    for (const auto& [term, count] : texts_with) {
      const Resemblance found = resemblance(word, term, words);
      if (!stands_for(word, term, words)) continue;
      const double any_form = surprise(begun + singular);
      const double resembling = std::min(any_form, surprise(count));
      double best = found.holds && begun == 0 ? 0.5 * resembling : 0;
      if (found.edits <= allowed_edits(code_points(word)) || found.joined)
        best = (found.edits == 2 && !found.joined ? 0.6 : 0.8) * resembling;
      if (found.begins) best = std::max(best, share_of_beginning(word, term) * surprise(begun));
      if (found.singular) best = 0.9 * any_form;
      if (found.edits == 0) best = surprise(whole);
      nats[term] = best;
    }
    std::map<std::string, double> texts_with_rows;
    for (const auto& text : texts_) {
      std::set<std::string> rows;
      for (size_t at = 0; at + 1 < text.size(); ++at)
        if (is_apart(word, text[at], text[at + 1])) rows.insert(text[at] + " " + text[at + 1]);
      for (const std::string& row : rows) ++texts_with_rows[row];
    }
    for (const auto& [row, count] : texts_with_rows)
      nats[row] = 0.8 * std::min(surprise(begun + singular), surprise(count));
    for (size_t i = 0; i < texts_.size(); ++i) {
      double most = -1;
      for (size_t at = 0; at < texts_[i].size(); ++at) {
        if (nats.contains(texts_[i][at])) most = std::max(most, nats[texts_[i][at]]);
        if (at + 1 == texts_[i].size()) continue;
        const std::string row = texts_[i][at] + " " + texts_[i][at + 1];
        if (nats.contains(row)) most = std::max(most, nats[row]);
      }
      if (most < 0) continue;
      const double longer = std::log(static_cast<double>(texts_[i].size()) / mean_length_);
      evidence_[i] += static_cast<float>(std::max(0.0, most - std::max(0.0, longer)));
    }
  }

  void add_order(const std::vector<std::string>& words) {
    std::vector<float> most = evidence_;
    std::ranges::sort(most, std::greater());
    const float least = most[std::min<size_t>(most.size(), 4096) - 1];
    for (size_t text = 0; text < texts_.size(); ++text) {
      if (evidence_[text] <= 0 || evidence_[text] < least) continue;
      for (size_t i = 0; i + 1 < words.size(); ++i) {
        bool follow = false;
        for (size_t at = 0; at < texts_[text].size(); ++at) {
          const std::string& term = texts_[text][at];
          follow = follow || term == words[i] + words[i + 1];
          follow = follow ||
                   (at + 1 < texts_[text].size() && stands_at(words[i], texts_[text], at, words) &&
                    stands_at(words[i + 1], texts_[text], at + 1, words));
        }
        if (follow) evidence_[text] += static_cast<float>(std::log(mean_length_));
      }
    }
  }

  std::vector<std::vector<std::string>> texts_;
  double mean_length_ = 0;
  std::set<std::string> written_;  // words that texts have or begin with
  std::vector<float> evidence_;
};

// Words of few letters, so that a text has several that resemble one of the query.
struct DrawnTexts {
  std::vector<std::string> texts;
  std::vector<std::string> queries;

  DrawnTexts(unsigned seed, size_t count) {
    std::mt19937 random(seed);
    std::vector<std::string> vocabulary;
    for (int i = 0; i < 150; ++i) {
      std::string word(2 + random() % 6, 'a');
      for (char& letter : word) letter = "abes"[random() % 4];
      vocabulary.push_back(word);
    }
    const auto word = [&] {
      const auto drawn = random();
      return vocabulary[drawn % (1 + random() % vocabulary.size())];
    };
    for (size_t i = 0; i < count; ++i) {
      std::string text = word();
      for (size_t j = random() % 8; j > 0; --j) {
        const std::string next = word();
        text += (random() % 9 > 0 ? " " : "") + next;
      }
      texts.push_back(text);
    }
    for (int i = 0; i < 12; ++i) {
      std::string query = vocabulary[random() % 150];
      for (int j = i % 4; j > 0; --j) query += " " + word();
      if (i % 3 == 0) query[random() % query.size()] = 'a';
      queries.push_back(query);
    }
  }
};

// How many texts of each query have any evidence at most.
size_t expect_evidence_of_every_text(const DrawnTexts& drawn) {
  size_t most = 0;
  const Texts in_one(drawn.texts);
  const Texts in_two(drawn.texts, drawn.texts.size() / 3);
  for (const std::string& query : drawn.queries) {
    const std::vector<float> expected = Exhaustive(drawn.texts, query).evidence();
    for (const Texts* texts : {&in_one, &in_two}) {
      const std::vector<float> found = texts->evidence(query);
      size_t wrong = 0;
      for (size_t row = 0; row < found.size(); ++row)
        wrong += std::abs(found[row] - expected[row]) > 1e-4f;
      BOOST_TEST_CONTEXT("query " << query) BOOST_TEST(wrong == 0u);
    }
    most = std::max(
        most, static_cast<size_t>(std::ranges::count_if(expected, [](float n) { return n > 0; })));
  }
  return most;
}

BOOST_AUTO_TEST_SUITE(lexical_match)

// More texts with evidence than the 4,096 whose order is looked at, of equal evidence many.
BOOST_AUTO_TEST_CASE(evidence_is_what_looking_at_every_text_gives) {
  BOOST_TEST(expect_evidence_of_every_text({5, 12000}) > 4096u);
  for (unsigned seed = 6; seed < 26; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) expect_evidence_of_every_text({seed, 1000});
}

BOOST_AUTO_TEST_CASE(quotes_make_phrases) {
  const LexicalQuery query = lexical_query("big \"Red Apple\" and \"pie");
  BOOST_TEST((query.words == std::vector<std::string>{"big", "red", "apple", "and", "pie"}));
  BOOST_TEST_REQUIRE(query.phrases.size() == 1u);
  BOOST_TEST((query.phrases[0] == std::vector<std::string>{"red", "apple"}));
  BOOST_TEST(lexical_query("\"\" x").phrases.empty());
  BOOST_TEST(lexical_query("a 12\" record").phrases.empty());
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

BOOST_AUTO_TEST_CASE(a_word_is_found_where_it_is_written_as_two) {
  for (const size_t in_main : {size_t{2}, SIZE_MAX}) {
    const Texts texts(
        {"the morning news", "news in the morning", "facade paint", "morning", "notable",
         "morn ing prayers", "paint fa cade", "not able", "an is land", "a morningnews"},
        in_main);
    BOOST_TEST((texts.fitting("morningnews") == std::vector<uint64_t>{0, 9}));
    BOOST_TEST(texts.best("morningnews") == 9u);
    BOOST_TEST((texts.fitting("morning") == std::vector<uint64_t>{0, 1, 3, 5, 9}));
    BOOST_TEST((texts.fitting("façade") == std::vector<uint64_t>{2, 6}));
    // Function words stand beside each other by chance.
    BOOST_TEST(texts.fitting("notable") == std::vector<uint64_t>{4});
    BOOST_TEST(texts.fitting("island") == std::vector<uint64_t>{8});
    // The words before and after it still stand in their order.
    BOOST_TEST(texts.evidence("paint facade")[6] > texts.evidence("facade paint")[6]);
    BOOST_TEST(texts.evidence("morning prayers")[5] > texts.evidence("prayers morning")[5]);
  }
  const auto matches = matched_words(lexical_query("morningnews"), words_of("the MORNING news!"));
  BOOST_TEST_REQUIRE(matches.size() == 2u);
  BOOST_TEST(matches[0].word == 1u);
  BOOST_TEST(matches[1].word == 2u);
  BOOST_TEST(matches[1].edits == 1);
}

BOOST_AUTO_TEST_CASE(the_word_itself_comes_first_then_its_plural_then_longer_ones) {
  std::vector<std::string> many(60, "nothing here");
  many[3] = "a demonstration today";
  many[9] = "the demonic one";
  many[20] = "two demons here";
  many[33] = "one demon here";
  const Texts texts(many);
  const std::vector<float> nats = texts.evidence("demon");
  BOOST_TEST(nats[33] > nats[20]);
  BOOST_TEST(nats[20] > nats[9]);
  BOOST_TEST(nats[9] > nats[3]);
  BOOST_TEST(texts.fitting("demon").size() == 4u);
  BOOST_TEST(texts.evidence("demonstration")[3] > nats[33] - 0.5f);
}

// However frequent it is, and however rare what is written alike.
BOOST_AUTO_TEST_CASE(the_singular_comes_before_words_that_are_only_written_alike) {
  std::vector<std::string> many(60, "nothing here");
  for (size_t i = 20; i < 40; ++i) many[i] = "what the hell";
  many[7] = "tell the bells";
  many[8] = "three hells too";
  many[10] = "an old box";
  many[11] = "two foxes here";
  for (const size_t in_main : {size_t{9}, SIZE_MAX}) {
    const Texts texts(many, in_main);
    const std::vector<float> nats = texts.evidence("hells");
    BOOST_TEST(nats[8] > nats[20]);
    BOOST_TEST(nats[20] > nats[7]);
    BOOST_TEST(nats[7] > 0);
    BOOST_TEST(texts.best("boxes") == 10u);
    BOOST_TEST((texts.fitting("boxes") == std::vector<uint64_t>{10, 11}));
    BOOST_TEST(texts.fitting("hers").empty());  // "her" is a function word
  }
  const auto matches = matched_words(lexical_query("boxes"), words_of("a BOX for foxes"));
  BOOST_TEST_REQUIRE(matches.size() == 2u);
  BOOST_TEST(matches[0].word == 1u);
  BOOST_TEST(matches[0].edits == 1);
}

// A frequent word one edit away fits, a rare one two edits away counts more.
BOOST_AUTO_TEST_CASE(a_text_with_several_words_alike_has_what_the_best_of_them_counts) {
  std::vector<std::string> many(200, "to follow");
  std::fill(many.begin() + 100, many.end(), "nothing here");
  many[50] = "follow fellow";
  many[150] = "a fellow";
  const Texts texts(many);
  const std::vector<float> nats = texts.evidence("hollow");
  BOOST_TEST(nats[150] > nats[0]);
  BOOST_TEST(nats[50] == nats[150]);
  const std::vector<uint64_t> fitting = texts.fitting("hollow");
  BOOST_TEST_REQUIRE(fitting.size() == 100u);
  BOOST_TEST(fitting[50] == 50u);
}

BOOST_AUTO_TEST_CASE(two_words_written_as_one_count_once_and_as_these_two_in_order) {
  const std::vector<std::string> many = {"newyork here and there", "newjersey here and there",
                                         "new things in jersey", "of york"};
  for (const size_t in_main : {size_t{1}, SIZE_MAX}) {
    const Texts texts(many, in_main);
    const float once = texts.evidence("new york")[0];
    BOOST_TEST(std::abs(texts.evidence("new york new jersey")[0] - once) < 1e-4f);
    const float in_order = std::log(14 / 4.0f);
    BOOST_TEST(std::abs(texts.evidence("new york new york")[0] - once - in_order) < 1e-4f);
  }
}

BOOST_AUTO_TEST_CASE(rare_words_say_more_and_absent_words_are_asked_for) {
  std::vector<std::string> many(200, "the cat");
  many[7] = "the zebra";
  const Texts texts(many);
  const std::vector<float> nats = texts.evidence("the zebra");
  BOOST_TEST(nats[7] > 5 * nats[8]);
  BOOST_TEST(texts.fitting("the zebra") == std::vector<uint64_t>{7});
  BOOST_TEST(texts.fitting("the unicorn").empty());
  BOOST_TEST(lexical_evidence(placed(texts.parts), lexical_query("unicorn"), 200).nats.empty());
}

// A frequent word and a rare one: each fits as typed.
BOOST_AUTO_TEST_CASE(a_word_as_typed_and_the_beginning_of_a_word_always_fit) {
  std::vector<std::string> many(60, "so many bells");
  many[3] = "a bell";
  many[4] = "nothing of the sort";
  const Texts texts(many);
  BOOST_TEST(texts.fitting("bells").size() == 59u);  // one of them with a letter lost
  BOOST_TEST(texts.fitting("bell").size() == 59u);
  BOOST_TEST(texts.best("bell") == 3u);
}

// 19 of 400 say "demons": what is typed is in none of them.
BOOST_AUTO_TEST_CASE(a_misspelt_word_finds_a_word_that_is_not_rare) {
  std::vector<std::string> many(400, "nothing here");
  std::vector<uint64_t> wanted;
  for (uint64_t i = 0; i < 400; i += 21) {
    many[i] = "many demons of a village";
    wanted.push_back(i);
  }
  for (const size_t in_main : {size_t{100}, SIZE_MAX}) {
    const Texts texts(many, in_main);
    for (const char* query : {"demosn", "dmons", "vilage", "a vilage", "demon"})
      BOOST_TEST_CONTEXT(query) BOOST_TEST(texts.fitting(query) == wanted);
  }
}

// A near word that is a word of its own is none that was misread; one that is rare may be.
BOOST_AUTO_TEST_CASE(beside_a_word_that_is_there_only_rare_near_ones_fit) {
  std::vector<std::string> many(60, "something else");
  for (size_t i = 0; i < 30; ++i) many[i] = i < 16 ? "a house" : "a mouse";
  many[40] = "a hovse";
  const Texts texts(many);
  const std::vector<uint64_t> found = texts.fitting("house");
  BOOST_TEST(found.size() == 17u);
  BOOST_TEST(found.back() == 40u);
}

BOOST_AUTO_TEST_CASE(parts_of_words_count_only_where_the_word_is_not) {
  const Texts texts({"a raccoon", "a doorbell", "other things"});
  BOOST_TEST(texts.fitting("ccoon") == std::vector<uint64_t>{0});
  const Texts both({"a doorbell", "the bell", "other things"});
  BOOST_TEST(both.fitting("bell") == std::vector<uint64_t>{1});
  BOOST_TEST(both.evidence("bell")[0] == 0);
  BOOST_TEST(both.evidence("bell")[1] > 0);
}

BOOST_AUTO_TEST_CASE(function_words_count_nothing_unless_alone) {
  std::vector<std::string> many(50, "and this is it");
  many[0] = "a skull";
  const Texts texts(many);
  const LexicalQuery query = lexical_query("the skull and fire", "eng");
  const LexicalEvidence evidence = lexical_evidence(placed(texts.parts), query, 50);
  BOOST_TEST(evidence.nats[1] == 0.0f);
  BOOST_TEST(evidence.nats[0] > 0.0f);
  BOOST_TEST(matched_words(query, words_of("and this is it")).empty());
  BOOST_TEST(lexical_query("the skull and fire", "deu").function_words.empty());
}

BOOST_AUTO_TEST_CASE(function_words_alone_are_looked_for_as_they_stand) {
  std::vector<std::string> many(50, "they think it over");
  many[4] = "where are you";
  many[11] = "you are there, and where is it";
  many[30] = "the cat: where are you? where are you now, in this very long text of words?";
  for (const size_t in_main : {size_t{11}, SIZE_MAX}) {
    const Texts texts(many, in_main);
    BOOST_TEST((texts.fitting("where are you") == std::vector<uint64_t>{4, 30}));
    BOOST_TEST(texts.fitting("the") == std::vector<uint64_t>{30});  // and not "they"
    BOOST_TEST(texts.fitting("are where").empty());
    const LexicalEvidence evidence =
        lexical_evidence(placed(texts.parts), lexical_query("where are you", "eng"), 50);
    BOOST_TEST(evidence.nats[4] > evidence.nats[30]);
    BOOST_TEST(evidence.nats[11] == 0.0f);
  }
  const LexicalQuery query = lexical_query("are you", "eng");
  const auto matches = matched_words(query, words_of("you are: are you? young"));
  BOOST_TEST_REQUIRE(matches.size() == 2u);
  BOOST_TEST(matches[0].word == 2u);
  BOOST_TEST(matches[1].word == 3u);
}

// "cat" is not "at" or "car" misspelt; three syllables say more than three letters.
BOOST_AUTO_TEST_CASE(short_words_and_function_words_are_near_to_nothing) {
  const Texts texts({"at the car", "what is it", "a big house", "안녕하새"});
  for (const char* query : {"cat", "hat", "dig"}) {
    BOOST_TEST_CONTEXT(query) BOOST_TEST(texts.fitting(query).empty());
  }
  BOOST_TEST(texts.fitting("whap").empty());
  BOOST_TEST(texts.fitting("hause") == std::vector<uint64_t>{2});
  BOOST_TEST(texts.fitting("what") == std::vector<uint64_t>{1});
  BOOST_TEST(matched_words(lexical_query("cat whap", "eng"), words_of("at what")).empty());
  BOOST_TEST(allowed_edits(U"녕하세") == 1);
}

BOOST_AUTO_TEST_CASE(most_of_several_words_must_fit) {
  const Texts texts({"old house", "old car", "a house", "money here"});
  BOOST_TEST(texts.fitting("old house") == std::vector<uint64_t>{0});
  BOOST_TEST(texts.fitting("house of unicorns").empty());
}

BOOST_AUTO_TEST_CASE(matched_words_are_named_with_their_edits) {
  const auto words = words_of("THE RACOON, wants MONEY! desertisland");
  const auto matches = matched_words(lexical_query("raccoon money desert island"), words);
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
