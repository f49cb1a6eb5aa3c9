#pragma once

// Which pictures have the words of a query written in them, and how much that says.
//
// The evidence of a text is counted in nats: how unlikely it would be for a text taken at random to
// hold the query's words as well as this one does. A word found with at most e edits (letters
// inserted, lost, replaced, exchanged; allowed_edits() says how many) counts
//
//     -ln((texts that hold it with at most e edits + 1/2) / (texts + 50))
//
// so a rare word says much, a frequent one little, and a word that many others resemble little when
// it is only resembled. Two words of the query written as one count as one edit. In a text that is
// longer than the average by a factor f, each word counts ln f less; two words that follow each
// other in the text as in the query count ln(average length) more. 50 stands for what is known
// of words before a collection is: it keeps small collections from finding every word likely.
//
// Threads: const calls may run together.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/lexicon/lexicon.h"

namespace zeroshelf {

struct LetterQuery {
  std::vector<std::string> words;                 // terms in order, those of the phrases included
  std::vector<std::vector<std::string>> phrases;  // each in quotes: its terms, one or more
};

// "he wants "his money"" has one phrase. A quote that is not closed ends with the text.
LetterQuery letter_query(std::string_view text);

struct LetterEvidence {
  // One a row, 0 where nothing fits; empty when no text has any word of the query.
  std::vector<float> nats;
  // What every word as written would count, without the bonus for their order.
  float complete = 0;
};

// parts: lexicons of disjoint rows, ascending. rows: the length of nats, above every owner.
// The order of words is looked at in the 4,096 texts of most evidence only.
LetterEvidence letter_evidence(std::span<const PlacedLexicon> parts, const LetterQuery& query,
                               uint64_t rows);

// LetterEvidence::complete alone.
float complete_letter_nats(std::span<const PlacedLexicon> parts, const LetterQuery& query);

// The rows whose text holds every phrase, term by term as written. Ascending.
std::vector<uint64_t> rows_with_phrases(std::span<const PlacedLexicon> parts,
                                        const std::vector<std::vector<std::string>>& phrases);

// A word of a picture that fits a word of the query.
struct MatchedWord {
  size_t word = 0;  // place among the picture's words
  std::string query_word;
  int edits = 0;
};
std::vector<MatchedWord> matched_words(const LetterQuery& query, const std::vector<Word>& words);

}  // namespace zeroshelf
