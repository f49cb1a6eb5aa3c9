#pragma once

// The index of the words: which texts hold a term, and where. One file, mapped and read in place,
// derived from the records' words; docs/collection-format.md has every byte.
//
// A text is the words of one picture. Texts are numbered in the order of their rows. Terms are
// sorted by length and then by bytes, so that terms within a few edits of a word lie in a few runs,
// and each has a signature that rules out most of them without looking at their letters.
//
// Reading trusts nothing: counts are checked against the file's size at opening, everything else
// where it is used, and what does not fit throws Corruption. The checksum over all is for check().
//
// Threads: const calls may run together.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/util/file.h"
#include "lib/util/words.h"

namespace zeroshelf {

// Which state of a collection a lexicon was made from.
struct LexiconOrigin {
  uint64_t epoch = 0;
  uint64_t generation = 0;
  uint64_t rows = 0;  // texts of rows below this one are in it

  bool operator==(const LexiconOrigin&) const = default;
};

class Lexicon {
 public:
  // Throws NotFound, Io or Corruption.
  static Lexicon map(const std::filesystem::path& path);
  // The bytes that LexiconBuilder made.
  static Lexicon of_bytes(std::string bytes);

  const LexiconOrigin& origin() const { return origin_; }
  uint64_t texts() const { return owners_.size(); }
  uint64_t terms() const { return signatures_.size(); }
  // The length of all texts together, in terms.
  uint64_t total_length() const { return total_length_; }

  // The row that a text belongs to; ascending.
  uint64_t owner(uint32_t text) const { return owners_[text]; }
  // In terms.
  uint32_t length(uint32_t text) const { return lengths_[text]; }
  std::string_view term(uint32_t term) const;
  // How many texts hold the term.
  uint32_t texts_with(uint32_t term) const { return text_counts_[term]; }

  std::optional<uint32_t> find(std::string_view term) const;

  // Calls visit(term, edits) for every term within that many edits of the word, itself included.
  void near(std::string_view word, int edits,
            const std::function<void(uint32_t term, int edits)>& visit) const;

  // Calls visit(term, begins) for every term that holds the word's letters in a row; begins: at its
  // beginning, itself included.
  void containing(std::string_view word,
                  const std::function<void(uint32_t term, bool begins)>& visit) const;

  // Calls visit(text, positions) for each text that holds the term, ascending. Positions count
  // terms from 0, ascending.
  using Visit = std::function<void(uint32_t text, std::span<const uint32_t> positions)>;
  void for_each_text(uint32_t term, const Visit& visit) const;
  // The same of the texts in `some`, ascending; visit has the place in `some` instead of the text.
  void for_each_text_among(uint32_t term, std::span<const uint32_t> some, const Visit& visit) const;
  // All of its texts, ascending.
  void read_texts(uint32_t term, std::vector<uint32_t>& texts) const;

  // Reads everything. Throws Corruption.
  void check() const;

 private:
  Lexicon() = default;
  void attach(std::span<const std::byte> bytes);
  [[noreturn]] void damaged(const char* cause) const;
  uint32_t first_of_length(size_t length) const;
  // Calls take(text, positions) for each text, ascending. Positions that are not read are passed
  // over.
  class Positions;
  template <class Take>
  void walk(uint32_t term, const Take& take) const;

  MappedFile file_;
  std::string memory_;
  std::string subject_;
  std::span<const std::byte> bytes_;
  LexiconOrigin origin_;
  uint64_t total_length_ = 0;
  std::span<const uint64_t> owners_;
  std::span<const uint64_t> signatures_;
  std::span<const uint64_t> term_ends_;     // in letters_
  std::span<const uint64_t> posting_ends_;  // in postings_
  std::span<const uint32_t> lengths_;
  std::span<const uint32_t> text_counts_;
  std::string_view letters_;
  std::string_view postings_;
};

// A lexicon among others: its row 0 is row first_row of all of them.
struct PlacedLexicon {
  const Lexicon* lexicon = nullptr;
  uint64_t first_row = 0;

  const Lexicon* operator->() const { return lexicon; }
  uint64_t owner(uint32_t text) const { return first_row + lexicon->owner(text); }
};

// Lexicons whose rows are numbered alike.
inline std::vector<PlacedLexicon> placed(std::span<const Lexicon> lexicons) {
  std::vector<PlacedLexicon> all;
  for (const Lexicon& lexicon : lexicons) all.push_back({&lexicon, 0});
  return all;
}

// Texts -> the bytes of a lexicon.
class LexiconBuilder {
 public:
  // Rows ascending. A text without terms counts as a text.
  void add(uint64_t row, const std::vector<Word>& words);
  std::string finish(const LexiconOrigin& origin) &&;

 private:
  struct Term {
    std::string postings;
    uint32_t texts = 0;
    uint32_t last_text = 0;
  };
  std::unordered_map<std::string, Term> terms_;
  std::vector<uint64_t> owners_;
  std::vector<uint32_t> lengths_;
};

}  // namespace zeroshelf
