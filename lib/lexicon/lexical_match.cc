// Tested by tests/lexicon/lexical_match_test.cc.

#include "lib/lexicon/lexical_match.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "lib/lexicon/function_words.h"
#include "lib/lexicon/tokens.h"
#include "lib/util/bytes.h"
#include "lib/util/edit_distance.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr double kPriorTexts = 50;
constexpr size_t kOrderedTexts = 4096;
constexpr size_t kLettersOfBeginning = 3;
constexpr size_t kLettersOfPart = 4;
constexpr size_t kLettersOfMisread = 5;
constexpr size_t kLettersOfHalf = 2;
constexpr uint64_t kRarerMisread = 8;
constexpr double kNearShare[] = {1, 0.8, 0.6};  // by edits
constexpr double kPartShare = 0.5;
constexpr double kPluralShare = 0.95;
constexpr double kSingularShare = 0.9;
constexpr double kLongestShare = 0.8;
constexpr double kLetterShare = 0.1;
constexpr double kFittingShare = 0.6;

enum class Way { Whole, Beginning, Singular, Near, Part };

// Where a row of terms begins.
struct Start {
  uint32_t text;
  uint32_t position;
  auto operator<=>(const Start&) const = default;
};

// A term of one part that stands for a word of the query, or a row of terms that does.
struct Variant {
  size_t part = 0;
  uint32_t term = 0;  // the first one of a row
  Way way = Way::Whole;
  int edits = 0;
  bool is_part = false;             // also where it is near
  bool joins = false;               // it is two words of the query, this one among them
  std::optional<size_t> next = {};  // the second of them, where this word is the first
  bool apart = false;               // it is this word as two, neither of them a function word
  std::string row = {};             // its terms with blanks between; empty: it is a single term
  std::vector<Start> starts = {};   // of a row, ascending
  double nats = 0;
  bool fits = false;
};

struct QueryWord {
  std::string text;
  bool counts = true;
  std::vector<Variant> variants;  // most nats first
  double weight = 0;              // what it counts as well as it is there at all
};

double surprise(uint64_t texts_with, double texts) {
  return std::max(0.0, -std::log((static_cast<double>(texts_with) + 0.5) / (texts + kPriorTexts)));
}

// Then they are looked for as they stand.
bool only_function_words(const LexicalQuery& query) {
  return !query.words.empty() && query.function_words.size() == query.words.size();
}

bool counts_nothing(const LexicalQuery& query, const std::string& word) {
  return std::ranges::find(query.function_words, word) != query.function_words.end();
}

// Where the terms follow each other, ascending.
std::vector<Start> starts_of_row(const Lexicon& lexicon, const std::vector<std::string>& row) {
  std::vector<uint32_t> terms;
  for (const std::string& text : row) {
    const auto term = lexicon.find(text);
    if (!term) return {};
    terms.push_back(*term);
  }
  std::vector<size_t> by_rarity(terms.size());
  for (size_t i = 0; i < by_rarity.size(); ++i) by_rarity[i] = i;
  std::sort(by_rarity.begin(), by_rarity.end(), [&](size_t a, size_t b) {
    return lexicon.texts_with(terms[a]) < lexicon.texts_with(terms[b]);
  });
  std::vector<Start> starts;  // each term keeps those that it confirms
  for (size_t round = 0; round < by_rarity.size(); ++round) {
    const auto offset = static_cast<uint32_t>(by_rarity[round]);
    std::vector<Start> kept;
    size_t at = 0;
    lexicon.for_each_text(terms[offset], [&](uint32_t text, std::span<const uint32_t> positions) {
      if (round > 0) {
        while (at < starts.size() && starts[at].text < text) ++at;
        if (at == starts.size() || starts[at].text != text) return;
      }
      for (const uint32_t position : positions) {
        if (position < offset) continue;
        const Start start{text, position - offset};
        if (round == 0 ||
            std::binary_search(starts.begin() + static_cast<ptrdiff_t>(at), starts.end(), start)) {
          kept.push_back(start);
        }
      }
    });
    starts = std::move(kept);
    if (starts.empty()) return {};
  }
  return starts;
}

std::vector<uint32_t> texts_of(std::span<const Start> starts) {
  std::vector<uint32_t> texts;
  for (const Start& start : starts) {
    if (texts.empty() || texts.back() != start.text) texts.push_back(start.text);
  }
  return texts;
}

uint64_t texts_with(const Lexicon& lexicon, const Variant& variant) {
  return variant.row.empty() ? lexicon.texts_with(variant.term) : texts_of(variant.starts).size();
}

std::string name_of(const Lexicon& lexicon, const Variant& variant) {
  return variant.row.empty() ? std::string(lexicon.term(variant.term)) : variant.row;
}

// The word as two, at every place where it could be.
std::vector<std::pair<std::string, std::string>> halves_of(const std::string& word) {
  std::vector<size_t> begins;  // of letters, in bytes
  for (size_t i = 0; i < word.size(); ++i)
    if ((static_cast<unsigned char>(word[i]) & 0xC0) != 0x80) begins.push_back(i);
  std::vector<std::pair<std::string, std::string>> halves;
  if (begins.size() < kLettersOfMisread) return halves;
  for (size_t i = kLettersOfHalf; i + kLettersOfHalf <= begins.size(); ++i)
    halves.emplace_back(word.substr(0, begins[i]), word.substr(begins[i]));
  return halves;
}

// What the word is the regular plural of.
std::vector<std::string> singulars_of(const std::string& word) {
  constexpr std::string_view kBeforeEs = "hosxz";
  std::vector<std::string> singulars;
  const auto take = [&](std::string_view singular) {
    if (code_points(singular).size() >= kLettersOfBeginning) singulars.emplace_back(singular);
  };
  const std::string_view letters = word;
  if (letters.ends_with("s")) take(letters.substr(0, letters.size() - 1));
  if (letters.ends_with("es") && letters.size() > 2 &&
      kBeforeEs.find(letters[letters.size() - 3]) != std::string_view::npos) {
    take(letters.substr(0, letters.size() - 2));
  }
  return singulars;
}

std::optional<Variant> row_in(const Lexicon& lexicon, size_t part,
                              const std::vector<std::string>& terms) {
  Variant variant{part};
  variant.starts = starts_of_row(lexicon, terms);
  if (variant.starts.empty()) return std::nullopt;
  variant.term = *lexicon.find(terms.front());
  for (const std::string& term : terms) variant.row += (variant.row.empty() ? "" : " ") + term;
  return variant;
}

// The ways of one part's terms to stand for the word.
std::vector<Variant> variants_in(const Lexicon& lexicon, size_t part, const std::string& word,
                                 std::string_view languages) {
  std::map<uint32_t, Variant> found;
  const size_t letters = code_points(word).size();
  if (letters >= kLettersOfBeginning) {
    lexicon.containing(word, [&](uint32_t term, bool begins) {
      if (begins) {
        found[term] = {part, term, Way::Beginning};
      } else if (letters >= kLettersOfPart) {
        found[term] = {part, term, Way::Part, 0, true};
      }
    });
  }
  lexicon.near(word, allowed_edits(code_points(word)), [&](uint32_t term, int edits) {
    if (edits > 0 && is_function_word(lexicon.term(term), languages)) return;
    Variant& variant = found.try_emplace(term, Variant{part, term, Way::Near}).first->second;
    if (edits == 0) variant.way = Way::Whole;
    if (variant.way == Way::Part) variant.way = Way::Near;
    variant.edits = edits;
  });
  for (const std::string& singular : singulars_of(word)) {
    const auto term = lexicon.find(singular);
    if (term && !is_function_word(singular, languages))
      found[*term] = {part, *term, Way::Singular, 1};
  }
  std::vector<Variant> variants;
  for (const auto& [term, variant] : found) variants.push_back(variant);
  for (const auto& [first, second] : halves_of(word)) {
    auto apart = row_in(lexicon, part, {first, second});
    if (!apart) continue;
    apart->way = Way::Near;
    apart->edits = 1;
    apart->apart = !is_function_word(first, languages) && !is_function_word(second, languages);
    variants.push_back(*std::move(apart));
  }
  return variants;
}

// What all parts together have of a word.
struct WordCounts {
  uint64_t whole = 0;  // texts with the word
  uint64_t begun = 0;  // or a longer one
  uint64_t singular = 0;
  int fewest_edits = std::numeric_limits<int>::max();
  bool is_there = false;                                 // any variant
  std::map<std::string, uint64_t, std::less<>> of_term;  // texts with it
  std::map<std::string, uint64_t, std::less<>> of_joined;

  void add(const WordCounts& other) {
    whole += other.whole;
    begun += other.begun;
    singular += other.singular;
    fewest_edits = std::min(fewest_edits, other.fewest_edits);
    is_there = is_there || other.is_there;
    for (const auto& [term, texts] : other.of_term) of_term[term] += texts;
    for (const auto& [term, texts] : other.of_joined) of_joined[term] += texts;
  }
};

WordCounts counts_of(std::span<const PlacedLexicon> parts, const QueryWord& word) {
  WordCounts counts;
  counts.is_there = !word.variants.empty();
  std::set<std::pair<size_t, uint32_t>> joining;  // of several pairs of words, too
  for (const Variant& it : word.variants) {
    if (it.joins && !joining.emplace(it.part, it.term).second) continue;
    const uint64_t texts = texts_with(*parts[it.part].lexicon, it);
    if (it.way == Way::Whole) counts.whole += texts;
    if (it.way == Way::Whole || it.way == Way::Beginning) counts.begun += texts;
    if (it.way == Way::Singular) counts.singular += texts;
    if (it.way == Way::Singular || it.way == Way::Near)
      counts.fewest_edits = std::min(counts.fewest_edits, it.edits);
    auto& terms = it.joins ? counts.of_joined : counts.of_term;
    terms[name_of(*parts[it.part].lexicon, it)] += texts;
  }
  return counts;
}

void write_counts(ByteWriter& out, const WordCounts& counts) {
  out.number(counts.whole);
  out.number(counts.begun);
  out.number(counts.singular);
  out.number(counts.fewest_edits);
  out.number<uint8_t>(counts.is_there);
  for (const auto* terms : {&counts.of_term, &counts.of_joined}) {
    out.varint(terms->size());
    for (const auto& [term, texts] : *terms) {
      out.text(term);
      out.varint(texts);
    }
  }
}

WordCounts read_counts(ByteReader& in) {
  WordCounts counts;
  counts.whole = in.number<uint64_t>();
  counts.begun = in.number<uint64_t>();
  counts.singular = in.number<uint64_t>();
  counts.fewest_edits = in.number<int>();
  counts.is_there = in.number<uint8_t>() != 0;
  for (auto* terms : {&counts.of_term, &counts.of_joined}) {
    for (uint64_t left = in.varint_at_most(in.left()); left > 0; --left) {
      std::string term(in.text());
      (*terms)[std::move(term)] += in.varint();
    }
  }
  return counts;
}

// One a word, of the parts that all ranks have.
std::vector<WordCounts> counts_of_all(std::span<const PlacedLexicon> parts,
                                      const std::vector<QueryWord>& words, Ranks* ranks) {
  std::vector<WordCounts> own;
  for (const QueryWord& word : words) own.push_back(counts_of(parts, word));
  if (ranks == nullptr) return own;
  ByteWriter out;
  for (const WordCounts& counts : own) write_counts(out, counts);
  std::vector<WordCounts> all(words.size());
  for (const std::string& bytes : ranks->exchange(out.bytes())) {
    ByteReader in(bytes, "words of another process");
    for (WordCounts& counts : all) counts.add(read_counts(in));
    in.expect_end();
  }
  return all;
}

// How far a longer term stands for the word that it begins with.
double share_of_beginning(const std::string& word, const std::string& term) {
  const std::string_view more = std::string_view(term).substr(word.size());
  if (more == "s" || more == "es") return kPluralShare;
  return kLongestShare + kLetterShare * static_cast<double>(code_points(word).size()) /
                             static_cast<double>(code_points(term).size());
}

// What each of its variants counts, and which fit.
void weigh(std::span<const PlacedLexicon> parts, double texts, const WordCounts& all,
           QueryWord& word) {
  const auto of = [](const auto& terms, std::string_view term) {
    const auto found = terms.find(term);
    return found == terms.end() ? uint64_t{0} : found->second;
  };
  const bool misread = code_points(word.text).size() >= kLettersOfMisread;
  if (all.begun > 0)
    std::erase_if(word.variants, [](const Variant& it) { return it.way == Way::Part; });
  const double any_form = surprise(all.begun + all.singular, texts);
  for (Variant& it : word.variants) {
    const std::string term = name_of(*parts[it.part].lexicon, it);
    const uint64_t own = std::max(of(all.of_term, term), of(all.of_joined, term));
    const double resembling = std::min(any_form, surprise(own, texts));
    switch (it.way) {
      case Way::Whole:
        it.nats = surprise(all.whole, texts);
        break;
      case Way::Beginning:
        it.nats = share_of_beginning(word.text, term) * surprise(all.begun, texts);
        break;
      case Way::Singular:
        it.nats = kSingularShare * any_form;
        break;
      case Way::Near:
        it.nats = kNearShare[it.edits] * resembling;
        break;
      case Way::Part:
        it.nats = kPartShare * resembling;
        break;
    }
    it.fits = it.way == Way::Whole || it.way == Way::Beginning || it.joins || it.apart ||
              (all.begun == 0 ? it.is_part || it.edits == all.fewest_edits
                              : it.edits == 1 && misread && own * kRarerMisread <= all.begun);
  }
  std::ranges::stable_sort(word.variants, std::greater(), &Variant::nats);
}

// What each word counts as well as it is there at all, in the parts that all ranks have.
void find_weights(double texts, Ranks* ranks, std::vector<QueryWord>& words) {
  constexpr double kNowhere = -1;
  std::vector<double> best;
  for (const QueryWord& word : words) {
    const auto first = std::ranges::find(word.variants, true, &Variant::fits);
    best.push_back(first == word.variants.end() ? kNowhere : first->nats);
  }
  if (ranks != nullptr) {
    const auto own = std::as_bytes(std::span(best));
    for (const std::string& bytes :
         ranks->exchange({reinterpret_cast<const char*>(own.data()), own.size()})) {
      ByteReader in(bytes, "words of another process");
      for (double& one : best) one = std::max(one, in.number<double>());
    }
  }
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i].counts) words[i].weight = best[i] == kNowhere ? surprise(0, texts) : best[i];
  }
}

// Each word of the query once, in the order of their first places. Function words alone are one, as
// they stand.
std::vector<QueryWord> query_words(std::span<const PlacedLexicon> parts,
                                   const LexicalQuery& query) {
  std::vector<QueryWord> words;
  const auto place = [&](const std::string& text) {
    return std::ranges::find(words, text, &QueryWord::text);
  };
  if (only_function_words(query)) {
    words.push_back({});
    for (size_t part = 0; part < parts.size(); ++part) {
      if (auto row = row_in(*parts[part].lexicon, part, query.words))
        words.front().variants.push_back(*std::move(row));
    }
    return words;
  }
  for (const std::string& text : query.words) {
    if (place(text) == words.end()) words.push_back({text, !counts_nothing(query, text), {}});
  }
  for (size_t part = 0; part < parts.size(); ++part) {
    for (QueryWord& word : words) {
      std::ranges::move(variants_in(*parts[part].lexicon, part, word.text, query.languages),
                        std::back_inserter(word.variants));
    }
    for (size_t i = 0; i + 1 < query.words.size(); ++i) {
      const auto term = parts[part]->find(query.words[i] + query.words[i + 1]);
      if (!term) continue;
      Variant variant{part, *term, Way::Near, 1};
      variant.joins = true;
      const auto second = place(query.words[i + 1]);
      second->variants.push_back(variant);
      variant.next = second - words.begin();
      place(query.words[i])->variants.push_back(variant);
    }
  }
  return words;
}

// The evidence of the texts of one part.
class PartEvidence {
 public:
  PartEvidence(const PlacedLexicon& placed, size_t part, double mean_length)
      : placed_(placed),
        lexicon_(*placed.lexicon),
        part_(part),
        mean_length_(mean_length),
        nats_(lexicon_.texts()),
        weight_(lexicon_.texts()),
        last_(lexicon_.texts()) {
    for (uint32_t length = 0; length < penalties_.size(); ++length)
      penalties_[length] = penalty_of(length);
  }

  void add_words(const std::vector<QueryWord>& words) {
    std::vector<uint32_t> texts;
    for (uint32_t i = 0; i < words.size(); ++i) {
      if (!words[i].counts) continue;
      for (const Variant& variant : words[i].variants) {
        if (variant.part != part_) continue;
        if (variant.row.empty()) {
          lexicon_.read_texts(variant.term, texts);
        } else {
          texts = texts_of(variant.starts);
        }
        const uint32_t counted = 2 * i + 1;
        for (const uint32_t text : texts) {
          if (last_[text] < counted) {  // otherwise by a variant that counts more
            last_[text] = counted;
            nats_[text] += static_cast<float>(
                std::max(0.0, variant.nats - length_penalty(lexicon_.length(text))));
          }
          if (variant.fits && last_[text] == counted) {
            last_[text] = counted + 1;
            weight_[text] += static_cast<float>(words[i].weight);
          }
        }
      }
    }
  }

  // For the texts with at least that evidence: that their words stand together, too.
  void add_order(const std::vector<QueryWord>& words, const LexicalQuery& query, float least) {
    const std::vector<uint32_t> best = texts_from(least);
    if (best.empty()) return;
    // Which words of the query stand where in each of them.
    std::vector<std::vector<Place>> places(best.size());
    for (size_t i = 0; i < words.size(); ++i) {
      for (const Variant& variant : words[i].variants) {
        if (variant.part != part_) continue;
        for (const Start& start : variant.starts) {
          const auto at = std::ranges::lower_bound(best, start.text);
          if (at == best.end() || *at != start.text) continue;
          for (const uint32_t after : {0u, 1u})
            places[static_cast<size_t>(at - best.begin())].push_back(
                {start.position + after, i, {}});
        }
        if (!variant.row.empty()) continue;
        lexicon_.for_each_text_among(variant.term, best,
                                     [&](uint32_t at, std::span<const uint32_t> positions) {
                                       for (const uint32_t position : positions)
                                         places[at].push_back({position, i, variant.next});
                                     });
      }
    }
    std::vector<size_t> order;  // of the query's words, as indexes into words
    for (const std::string& text : query.words) {
      order.push_back(
          static_cast<size_t>(std::ranges::find(words, text, &QueryWord::text) - words.begin()));
    }
    for (size_t i = 0; i < best.size(); ++i) {
      nats_[best[i]] += static_cast<float>(static_cast<double>(pairs_in_order(order, places[i])) *
                                           std::log(mean_length_));
    }
  }

  std::span<const float> nats() const { return nats_; }

  // least: the weight of what fits.
  void put(float least, LexicalEvidence& evidence) const {
    for (uint32_t text = 0; text < nats_.size(); ++text) {
      if (nats_[text] > 0) evidence.nats[placed_.owner(text)] = nats_[text];
      if (weight_[text] > 0 && weight_[text] >= least) evidence.fits[placed_.owner(text)] = true;
    }
  }

 private:
  struct Place {
    uint32_t position;
    size_t word;
    std::optional<size_t> next;  // that it stands for as well
  };

  double length_penalty(uint32_t length) const {
    return length < penalties_.size() ? penalties_[length] : penalty_of(length);
  }
  double penalty_of(uint32_t length) const {
    return length > mean_length_ ? std::log(length / mean_length_) : 0;
  }

  std::vector<uint32_t> texts_from(float least) const {
    std::vector<uint32_t> texts;
    for (uint32_t text = 0; text < nats_.size(); ++text) {
      if (nats_[text] > 0 && nats_[text] >= least) texts.push_back(text);
    }
    return texts;
  }

  static size_t pairs_in_order(const std::vector<size_t>& order,
                               const std::vector<Place>& standing) {
    size_t pairs = 0;
    for (size_t i = 0; i + 1 < order.size(); ++i) {
      const bool follow = std::any_of(standing.begin(), standing.end(), [&](const Place& first) {
        if (first.word != order[i]) return false;
        if (first.next == order[i + 1]) return true;
        return std::any_of(standing.begin(), standing.end(), [&](const Place& second) {
          return second.word == order[i + 1] && second.position == first.position + 1;
        });
      });
      pairs += follow;
    }
    return pairs;
  }

  PlacedLexicon placed_;
  const Lexicon& lexicon_;
  size_t part_;
  double mean_length_;
  std::array<double, 256> penalties_;  // of the usual lengths
  std::vector<float> nats_;
  std::vector<float> weight_;  // of the words that fit
  // Twice the place of the last word that counts in the text, and 1; 2 if it fits as well.
  std::vector<uint32_t> last_;
};

// The most nats of the texts of all parts, some thousand; the least one is the first.
std::vector<float> most_nats(std::span<const PartEvidence> parts, Ranks* ranks) {
  std::vector<float> most;  // a heap with the least on top
  const auto offer = [&](float nats) {
    if (nats <= 0 || (most.size() == kOrderedTexts && nats <= most.front())) return;
    if (most.size() == kOrderedTexts) {
      std::ranges::pop_heap(most, std::greater());
      most.pop_back();
    }
    most.push_back(nats);
    std::ranges::push_heap(most, std::greater());
  };
  for (const PartEvidence& part : parts) {
    for (const float nats : part.nats()) offer(nats);
  }
  if (ranks == nullptr) return most;
  const auto own = std::as_bytes(std::span(most));
  const auto of_ranks = ranks->exchange({reinterpret_cast<const char*>(own.data()), own.size()});
  most.clear();
  for (const std::string& bytes : of_ranks) {
    ByteReader in(bytes, "texts of another process");
    while (in.left() > 0) offer(in.number<float>());
  }
  return most;
}

// From how much evidence on the order of words is looked at: in the texts of all parts that have
// most, some thousand, and all that are equal to the last of them unless these are very many.
float least_ordered(std::span<const PartEvidence> parts, Ranks* ranks) {
  constexpr uint64_t kMostEqual = 16 * kOrderedTexts;
  const std::vector<float> most = most_nats(parts, ranks);
  if (most.size() < kOrderedTexts) return 0;
  const float least = most.front();
  uint64_t equal = 0;
  for (const PartEvidence& part : parts)
    equal += static_cast<uint64_t>(std::ranges::count(part.nats(), least));
  if (ranks != nullptr) ranks->add_up(std::span(&equal, 1));
  return equal <= kMostEqual ? least
                             : std::nextafter(least, std::numeric_limits<float>::infinity());
}

// How a term stands for a word: 0 where it is the word, begins with it or holds it.
std::optional<int> edits_between(const std::string& word, const std::string& term) {
  const std::u32string wanted = code_points(word);
  const std::u32string letters = code_points(term);
  const size_t at = letters.find(wanted);
  if (at == 0 && wanted.size() >= kLettersOfBeginning) return 0;
  if (at != std::u32string::npos && wanted.size() >= kLettersOfPart) return 0;
  const std::vector<std::string> singulars = singulars_of(word);
  if (std::ranges::find(singulars, term) != singulars.end()) return 1;
  const int limit = allowed_edits(wanted);
  const int edits = edit_distance(wanted, letters, limit);
  return edits <= limit ? std::optional(edits) : std::nullopt;
}

bool is_apart(const std::string& word, const std::string& first, const std::string& second) {
  return word == first + second && code_points(word).size() >= kLettersOfMisread &&
         std::min(code_points(first).size(), code_points(second).size()) >= kLettersOfHalf;
}

}  // namespace

LexicalQuery lexical_query(std::string_view text, std::string_view languages) {
  LexicalQuery query;
  query.languages = languages;
  bool quoted = false;
  while (true) {
    const size_t quote = text.find('"');
    std::vector<std::string> terms = terms_of(text.substr(0, quote));
    query.words.insert(query.words.end(), terms.begin(), terms.end());
    const bool closed = quoted && quote != std::string_view::npos;
    if (closed && !terms.empty()) query.phrases.push_back(std::move(terms));
    if (quote == std::string_view::npos) break;
    text.remove_prefix(quote + 1);
    quoted = !quoted;
  }
  for (const std::string& word : query.words)
    if (is_function_word(word, languages)) query.function_words.push_back(word);
  return query;
}

LexicalEvidence lexical_evidence(std::span<const PlacedLexicon> parts, const LexicalQuery& query,
                                 uint64_t rows, Ranks* ranks) {
  uint64_t sums[] = {0, 0};
  auto& [texts, length] = sums;
  for (const PlacedLexicon& part : parts) {
    texts += part->texts();
    length += part->total_length();
  }
  if (ranks != nullptr) ranks->add_up(sums);
  const double mean_length =
      texts > 0 ? std::max(1.0, static_cast<double>(length) / static_cast<double>(texts)) : 1;
  std::vector<QueryWord> words = query_words(parts, query);
  const std::vector<WordCounts> counts = counts_of_all(parts, words, ranks);
  for (size_t i = 0; i < words.size(); ++i)
    weigh(parts, static_cast<double>(texts), counts[i], words[i]);
  find_weights(static_cast<double>(texts), ranks, words);
  LexicalEvidence evidence;
  if (std::ranges::none_of(counts, &WordCounts::is_there)) return evidence;
  double complete = 0;
  for (const QueryWord& word : words) complete += word.weight;
  evidence.nats.resize(rows);
  evidence.fits.resize(rows);
  std::vector<PartEvidence> of_parts;
  for (size_t i = 0; i < parts.size(); ++i) {
    of_parts.emplace_back(parts[i], i, mean_length);
    of_parts.back().add_words(words);
  }
  if (query.words.size() > 1 && !only_function_words(query)) {
    const float least = least_ordered(of_parts, ranks);
    for (PartEvidence& part : of_parts) part.add_order(words, query, least);
  }
  for (const PartEvidence& part : of_parts)
    part.put(static_cast<float>(kFittingShare * complete), evidence);
  return evidence;
}

std::vector<uint64_t> rows_with_phrases(std::span<const PlacedLexicon> parts,
                                        const std::vector<std::vector<std::string>>& phrases) {
  std::vector<uint64_t> rows;
  for (const PlacedLexicon& part : parts) {
    std::optional<std::vector<uint32_t>> texts;
    for (const std::vector<std::string>& phrase : phrases) {
      std::vector<uint32_t> found = texts_of(starts_of_row(*part.lexicon, phrase));
      if (texts) {
        std::erase_if(*texts, [&](uint32_t text) {
          return !std::binary_search(found.begin(), found.end(), text);
        });
      } else {
        texts = std::move(found);
      }
    }
    if (!texts) continue;
    for (const uint32_t text : *texts) rows.push_back(part.owner(text));
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::vector<MatchedWord> matched_words(const LexicalQuery& query, const std::vector<Word>& words) {
  struct Standing {
    std::string term;
    size_t word;  // of the picture
  };
  std::vector<Standing> standing;
  for (size_t i = 0; i < words.size(); ++i)
    for (std::string& term : terms_of(words[i].text)) standing.push_back({std::move(term), i});
  std::vector<std::optional<MatchedWord>> best(words.size());
  const auto offer = [&](size_t word, const std::string& query_word, int edits) {
    if (!best[word] || edits < best[word]->edits) best[word] = MatchedWord{word, query_word, edits};
  };
  const bool in_a_row = only_function_words(query);
  const std::vector<std::string>& asked = query.words;
  for (size_t i = 0; i < standing.size(); ++i) {
    const auto& [term, place] = standing[i];
    if (in_a_row) {
      const auto rest = std::span(standing).subspan(i);
      if (rest.size() < asked.size() ||
          !std::ranges::equal(rest.first(asked.size()), asked, {}, &Standing::term))
        continue;
      for (size_t j = 0; j < asked.size(); ++j) offer(rest[j].word, asked[j], 0);
      continue;
    }
    bool joined = false;
    for (size_t j = 0; j + 1 < asked.size() && !joined; ++j) {
      joined = term == asked[j] + asked[j + 1];
      if (joined) best[place] = MatchedWord{place, asked[j] + " " + asked[j + 1], 1};
    }
    if (joined) continue;
    const bool is_function = is_function_word(term, query.languages);
    for (const std::string& word : asked) {
      if (counts_nothing(query, word)) continue;
      const auto edits = edits_between(word, term);
      if (edits && (!is_function || edits == 0)) offer(place, word, *edits);
      if (i + 1 < standing.size() && is_apart(word, term, standing[i + 1].term)) {
        offer(place, word, 1);
        offer(standing[i + 1].word, word, 1);
      }
    }
  }
  std::vector<MatchedWord> matches;
  for (std::optional<MatchedWord>& match : best)
    if (match) matches.push_back(*std::move(match));
  return matches;
}

}  // namespace zeroshelf
