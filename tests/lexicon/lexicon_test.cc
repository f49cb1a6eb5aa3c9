#include "lib/lexicon/lexicon.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <random>

#include "lib/lexicon/lexical_match.h"
#include "lib/lexicon/tokens.h"
#include "lib/util/edit_distance.h"
#include "lib/util/error.h"
#include "lib/util/text.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

std::vector<Word> words_of(const std::vector<std::string>& texts) {
  std::vector<Word> words;
  for (const std::string& text : texts) words.push_back({text, 1, {}});
  return words;
}

std::string small_lexicon() {
  LexiconBuilder builder;
  builder.add(2, words_of({"The", "raccoon", "the", "RACCOON,"}));
  builder.add(5, words_of({"skull-and", "fire"}));
  builder.add(9, words_of({"...", "?"}));
  return std::move(builder).finish({3, 7, 10});
}

BOOST_AUTO_TEST_SUITE(lexicon)

BOOST_AUTO_TEST_CASE(terms_know_their_texts_and_positions) {
  const Lexicon lexicon = Lexicon::of_bytes(small_lexicon());
  BOOST_TEST((lexicon.origin() == LexiconOrigin{3, 7, 10}));
  BOOST_TEST(lexicon.texts() == 3);
  BOOST_TEST(lexicon.total_length() == 7);
  BOOST_TEST(!lexicon.find("racoon"));
  const auto raccoon = lexicon.find("raccoon");
  BOOST_REQUIRE(raccoon.has_value());
  int calls = 0;
  lexicon.for_each_text(*raccoon, [&](uint32_t text, std::span<const uint32_t> positions) {
    ++calls;
    BOOST_TEST(lexicon.owner(text) == 2);
    BOOST_TEST((std::vector(positions.begin(), positions.end()) == std::vector<uint32_t>{1, 3}));
  });
  BOOST_TEST(calls == 1);
  lexicon.check();
}

BOOST_AUTO_TEST_CASE(containing_finds_each_term_once_and_no_letters_of_two_terms) {
  LexiconBuilder builder;
  builder.add(0, words_of({"bell", "bells", "doorbell", "bellbell", "belly", "lbel", "lisa"}));
  const Lexicon lexicon = Lexicon::of_bytes(std::move(builder).finish({0, 0, 1}));
  const auto found = [&](std::string_view word) {
    std::map<std::string, bool> terms;
    lexicon.containing(word, [&](uint32_t term, bool begins) {
      BOOST_TEST(terms.emplace(lexicon.term(term), begins).second);
    });
    return terms;
  };
  BOOST_TEST((found("bell") == std::map<std::string, bool>{{"bell", true},
                                                           {"bells", true},
                                                           {"doorbell", false},
                                                           {"bellbell", true},
                                                           {"belly", true}}));
  BOOST_TEST((found("lb") == std::map<std::string, bool>{{"bellbell", false}, {"lbel", true}}));
  BOOST_TEST(found("lllb").empty());  // "bell" and "lbel" lie side by side
  BOOST_TEST(found("").empty());
}

BOOST_AUTO_TEST_CASE(near_finds_what_comparing_with_every_term_finds) {
  std::mt19937 random(11);
  std::vector<std::string> words;
  for (int i = 0; i < 4000; ++i) {
    std::string word(1 + random() % 9, 'a');
    for (char& letter : word) letter = static_cast<char>(letter + random() % 5);
    if (random() % 7 == 0) word += random() % 2 ? "ж" : "猫";
    words.push_back(word);
  }
  LexiconBuilder builder;
  builder.add(0, words_of(words));
  const Lexicon lexicon = Lexicon::of_bytes(std::move(builder).finish({0, 0, 1}));
  for (int i = 0; i < 60; ++i) {
    const std::string& word = words[random() % words.size()];
    for (const int edits : {0, 1, 2}) {
      std::map<uint32_t, int> found;
      lexicon.near(word, edits, [&](uint32_t term, int distance) { found[term] = distance; });
      std::map<uint32_t, int> expected;
      for (uint32_t term = 0; term < lexicon.terms(); ++term) {
        const int distance =
            edit_distance(code_points(word), code_points(lexicon.term(term)), edits);
        if (distance <= edits) expected[term] = distance;
      }
      BOOST_TEST((found == expected));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_file_is_read_as_it_was_written) {
  const testing::TemporaryDirectory directory;
  testing::write_file(directory / "lexicon", small_lexicon());
  const Lexicon lexicon = Lexicon::map(directory / "lexicon");
  lexicon.check();
  BOOST_TEST(lexicon.terms() == 5);
}

// Damage is told or harmless, never read past the end; the checksum finds each.
BOOST_AUTO_TEST_CASE(damaged_bytes_are_refused_or_harmless) {
  const std::string whole = small_lexicon();
  const LexicalQuery query = lexical_query("the racoon \"skull and fire\"");
  const auto use = [&](const std::string& bytes) {
    try {
      const std::vector<Lexicon> parts = [&] {
        std::vector<Lexicon> made;
        made.push_back(Lexicon::of_bytes(bytes));
        return made;
      }();
      try {
        lexical_evidence(placed(parts), query, 10);
        rows_with_phrases(placed(parts), query.phrases);
      } catch (const Error& error) {
        BOOST_TEST((error.code() == ErrorCode::Corruption));
      }
      BOOST_CHECK_THROW(parts[0].check(), Error);
    } catch (const Error& error) {
      BOOST_TEST((error.code() == ErrorCode::Corruption));
    }
  };
  for (size_t cut = 0; cut < whole.size(); ++cut) use(whole.substr(0, cut));
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const int change : {1, 0x80, 0xff}) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ change);
      use(bytes);
    }
  }
}

// Places, texts and counts that only a hostile file has. The file claims a text of 2^32 - 1 terms.
BOOST_AUTO_TEST_CASE(postings_that_cannot_be_are_refused_before_memory_is_given_for_them) {
  LexiconBuilder builder;
  builder.add(0, words_of(std::vector<std::string>(8, "again")));
  const std::string whole = std::move(builder).finish({0, 0, 1});
  constexpr size_t kLength = 64 + 4 * 8;            // behind the header and four numbers of 8 bytes
  constexpr size_t kTextCount = kLength + 8;        // each number of 4 bytes is padded to 8
  constexpr size_t kPostings = kTextCount + 2 * 8;  // behind the letters
  const auto refused = [&](size_t at, const std::string& bytes, size_t length) {
    std::string damaged = whole;
    damaged.replace(at, bytes.size(), bytes);
    damaged.replace(kLength, 4, reinterpret_cast<const char*>(&length), 4);
    try {
      const Lexicon lexicon = Lexicon::of_bytes(damaged);
      lexicon.for_each_text(0, [](uint32_t, std::span<const uint32_t>) {});
      return false;
    } catch (const Error& error) {
      return error.code() == ErrorCode::Corruption;
    }
  };
  BOOST_TEST(!refused(kPostings, std::string("\0\x08\0\x01", 4), 8));  // as it was
  BOOST_TEST(refused(kPostings + 1, "\xff\xff\xff\xff\x0f", UINT32_MAX));
  BOOST_TEST(refused(kPostings + 3, std::string(1, '\0'), 8));  // the same place twice
  BOOST_TEST(refused(kPostings + 3, "\x02", 8));                // a place behind the end
  BOOST_TEST(refused(kTextCount, "\x02", 8));                   // in more texts than there are
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
