#pragma once

// Which pictures have the words of a query written in them, and how much that says.
//
// The evidence of a text is counted in nats: how unlikely it would be for a text taken at random to
// hold the query's words as well as this one does. A term stands for a word in one of these ways,
// and counts, with s(n) = -ln((n + 1/2) / (texts + 50)); of several in a text, the one that counts
// most:
//
//     whole       as typed                                s(texts with the word)
//     beginning   it begins with the word (3 letters on)  of b = s(texts with it or a longer one)
//                                                         0.95 for one with s or es after it, for
//                                                         others 0.8 and a tenth of the share of
//                                                         their letters that are the word's
//     singular    the word is it with s after it, or      0.9 of c = s(texts with the word, a
//                 with es behind h, o, s, x or z (3       longer one or the singular)
//                 letters on): one edit
//     near        a few edits away (letters inserted,     0.8 (one edit) or 0.6 (two) of
//                 lost, replaced, exchanged; see          min(c, s(texts with the term))
//                 allowed_edits()); two words of the
//                 query written as one, or the word (5
//                 letters on) written as two (of 2 on):
//                 one edit
//     part        it holds the word (4 letters on), and   0.5 of the same
//                 no text has the word or one that
//                 begins with it
//
// so a rare word says much and a frequent one little, and what only resembles the word counts by
// how rare it is itself. In a text that is longer than the average by a factor f, each word counts
// ln f less; two words that follow each other in the text as in the query count ln(average length)
// more. 50 stands for what is known of words before a collection is: it keeps small collections
// from finding every word likely.
//
// Whether a text fits at all: a term that is the word, or begins with it, always does, and so do
// two words written as one, and one as two of which neither is a function word. Other ways do where
// no text has the word or its beginning; of those with edits only those of fewest. Beside a word
// that is there, a term of one edit (of a word of 5 letters on) fits if it is so much rarer that it
// may well be the word misread: an eighth of the texts at most. A text fits a query of several
// words if those that fit it have three fifths of what all would count. Function words count
// nothing. Where there are no others, texts fit in which they stand as typed, one after the other,
// and the whole row counts as a single word does.
//
// Threads: const calls may run together.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/lexicon/lexicon.h"
#include "lib/util/ranks.h"

namespace zeroshelf {

struct LexicalQuery {
  std::vector<std::string> words;                 // terms in order, those of the phrases included
  std::vector<std::vector<std::string>> phrases;  // each in quotes: its terms, one or more
  std::vector<std::string> function_words;        // of the words, as often as there
  std::string languages;                          // whose function words are near to no word
};

// "he wants "his money"" has one phrase. A quotation mark that is not closed is none. languages:
// whose function words count nothing, see is_function_word().
LexicalQuery lexical_query(std::string_view text, std::string_view languages = {});

struct LexicalEvidence {
  // One a row, 0 where nothing fits; empty when no text has any word of the query.
  std::vector<float> nats;
  std::vector<bool> fits;  // one a row as well: whether it fits at all
};

// parts: lexicons of disjoint rows, ascending. rows: the length of nats, above every owner.
// The order of words is looked at in the 4,096 texts of most evidence only, and in those equal to
// the last of them unless these are more than 65,536. ranks: processes with more parts, all of
// which call it with the same query; how rare a word is counts over all of them, the evidence is
// that of the own parts. Empty is then that no part of any has a word of the query.
LexicalEvidence lexical_evidence(std::span<const PlacedLexicon> parts, const LexicalQuery& query,
                                 uint64_t rows, Ranks* ranks = nullptr);

// The rows whose text holds every phrase, term by term as written. Ascending.
std::vector<uint64_t> rows_with_phrases(std::span<const PlacedLexicon> parts,
                                        const std::vector<std::vector<std::string>>& phrases);

// A word of a picture that stands for a word of the query.
struct MatchedWord {
  size_t word = 0;  // place among the picture's words
  std::string query_word;
  int edits = 0;  // 0 also where it begins with that word or holds it
};
std::vector<MatchedWord> matched_words(const LexicalQuery& query, const std::vector<Word>& words);

}  // namespace zeroshelf
