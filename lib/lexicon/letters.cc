// Tested by tests/lexicon/letters_test.cc.

#include "lib/lexicon/letters.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <optional>

#include "lib/lexicon/tokens.h"
#include "lib/util/edit_distance.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr int kMostEdits = 2;
constexpr double kPriorTexts = 50;
constexpr size_t kOrderedTexts = 4096;

// A term of one part that stands for a word of the query.
struct Variant {
  size_t part;
  uint32_t term;
  int edits;
  bool joined;  // it is this word and the next one
};

struct QueryWord {
  std::string text;
  std::vector<Variant> variants;                 // fewest edits first
  std::array<double, kMostEdits + 1> nats = {};  // by edits
};

double surprise(uint64_t texts_with, double texts) {
  return std::max(0.0, -std::log((static_cast<double>(texts_with) + 0.5) / (texts + kPriorTexts)));
}

void weigh(std::span<const PlacedLexicon> parts, double texts, QueryWord& word) {
  std::stable_sort(word.variants.begin(), word.variants.end(),
                   [](const Variant& a, const Variant& b) { return a.edits < b.edits; });
  std::array<uint64_t, kMostEdits + 1> found = {};
  for (const Variant& variant : word.variants)
    found[variant.edits] += parts[variant.part]->texts_with(variant.term);
  uint64_t sum = 0;
  for (int edits = 0; edits <= kMostEdits; ++edits)
    word.nats[edits] = surprise(sum += found[edits], texts);
}

// Each word of the query once, in the order of their first places.
std::vector<QueryWord> query_words(std::span<const PlacedLexicon> parts, const LetterQuery& query,
                                   double texts) {
  std::vector<QueryWord> words;
  const auto place = [&](const std::string& text) {
    return std::find_if(words.begin(), words.end(),
                        [&](const QueryWord& word) { return word.text == text; });
  };
  for (const std::string& text : query.words) {
    if (place(text) == words.end()) words.push_back({text, {}, {}});
  }
  for (size_t part = 0; part < parts.size(); ++part) {
    for (QueryWord& word : words) {
      parts[part]->near(word.text, allowed_edits(code_points(word.text).size()),
                        [&](uint32_t term, int edits) {
                          word.variants.push_back({part, term, edits, false});
                        });
    }
    for (size_t i = 0; i + 1 < query.words.size(); ++i) {
      const std::string joined = query.words[i] + query.words[i + 1];
      if (const auto term = parts[part]->find(joined)) {
        place(query.words[i])->variants.push_back({part, *term, 1, true});
        place(query.words[i + 1])->variants.push_back({part, *term, 1, false});
      }
    }
  }
  for (QueryWord& word : words) weigh(parts, texts, word);
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
        last_word_(lexicon_.texts()) {
    for (uint32_t length = 0; length < penalties_.size(); ++length)
      penalties_[length] = penalty_of(length);
  }

  void add_words(const std::vector<QueryWord>& words) {
    std::vector<uint32_t> texts;
    for (uint32_t i = 0; i < words.size(); ++i) {
      for (const Variant& variant : words[i].variants) {
        if (variant.part != part_ || words[i].nats[variant.edits] <= 0) continue;
        lexicon_.read_texts(variant.term, texts);
        for (const uint32_t text : texts) {
          if (last_word_[text] == i + 1) continue;  // by a variant of fewer edits
          last_word_[text] = i + 1;
          nats_[text] += static_cast<float>(
              std::max(0.0, words[i].nats[variant.edits] - length_penalty(lexicon_.length(text))));
        }
      }
    }
  }

  void add_order(const std::vector<QueryWord>& words, const LetterQuery& query) {
    if (query.words.size() < 2) return;
    const std::vector<uint32_t> best = best_texts();
    if (best.empty()) return;
    // Which words of the query stand where in each of them.
    std::vector<std::vector<Place>> places(best.size());
    for (uint32_t i = 0; i < words.size(); ++i) {
      for (const Variant& variant : words[i].variants) {
        if (variant.part != part_) continue;
        lexicon_.for_each_text_among(variant.term, best,
                                     [&](uint32_t at, std::span<const uint32_t> positions) {
                                       for (const uint32_t position : positions)
                                         places[at].push_back({position, i, variant.joined});
                                     });
      }
    }
    std::vector<uint32_t> order;  // of the query's words, as indexes into words
    for (const std::string& text : query.words) {
      order.push_back(static_cast<uint32_t>(
          std::find_if(words.begin(), words.end(),
                       [&](const QueryWord& word) { return word.text == text; }) -
          words.begin()));
    }
    for (size_t i = 0; i < best.size(); ++i) {
      nats_[best[i]] += static_cast<float>(static_cast<double>(pairs_in_order(order, places[i])) *
                                           std::log(mean_length_));
    }
  }

  void put(std::vector<float>& nats) const {
    for (uint32_t text = 0; text < nats_.size(); ++text) {
      if (nats_[text] > 0) nats[placed_.owner(text)] = nats_[text];
    }
  }

 private:
  struct Place {
    uint32_t position;
    uint32_t word;
    bool joined;
  };

  double length_penalty(uint32_t length) const {
    return length < penalties_.size() ? penalties_[length] : penalty_of(length);
  }
  double penalty_of(uint32_t length) const {
    return length > mean_length_ ? std::log(length / mean_length_) : 0;
  }

  // Those of most evidence, where it is equal the first; ascending.
  std::vector<uint32_t> best_texts() const {
    float least = likely_least();
    std::vector<uint32_t> above;
    std::vector<uint32_t> equal;
    for (;;) {
      for (uint32_t text = 0; text < nats_.size(); ++text) {
        if (nats_[text] < least || nats_[text] <= 0) continue;
        if (nats_[text] > least) {
          above.push_back(text);
        } else if (equal.size() < kOrderedTexts) {
          equal.push_back(text);
        }
      }
      if (least <= 0 || above.size() + equal.size() >= kOrderedTexts) break;
      least = 0;
      above.clear();
      equal.clear();
    }
    if (above.size() > kOrderedTexts) {
      std::nth_element(above.begin(), above.begin() + kOrderedTexts, above.end(),
                       [&](uint32_t a, uint32_t b) {
                         return nats_[a] != nats_[b] ? nats_[a] > nats_[b] : a < b;
                       });
      above.resize(kOrderedTexts);
    }
    const size_t missing = std::min(equal.size(), kOrderedTexts - above.size());
    above.insert(above.end(), equal.begin(), equal.begin() + static_cast<ptrdiff_t>(missing));
    std::sort(above.begin(), above.end());
    return above;
  }

  // What about so many have, from a sample; 0 where few have any.
  float likely_least() const {
    constexpr size_t kStep = 16;
    constexpr size_t kRank = (kOrderedTexts + kOrderedTexts / 4) / kStep;
    std::vector<float> sample;
    for (size_t text = 0; text < nats_.size(); text += kStep) {
      if (nats_[text] > 0) sample.push_back(nats_[text]);
    }
    if (sample.size() <= kRank) return 0;
    std::nth_element(sample.begin(), sample.begin() + kRank, sample.end(), std::greater<>());
    return sample[kRank];
  }

  static size_t pairs_in_order(const std::vector<uint32_t>& order,
                               const std::vector<Place>& standing) {
    size_t pairs = 0;
    for (size_t i = 0; i + 1 < order.size(); ++i) {
      const bool follow = std::any_of(standing.begin(), standing.end(), [&](const Place& first) {
        if (first.word != order[i]) return false;
        if (first.joined) return true;
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
  std::vector<uint32_t> last_word_;
};

// The texts of one part that hold the phrase, ascending.
std::vector<uint32_t> texts_with_phrase(const Lexicon& lexicon,
                                        const std::vector<std::string>& phrase) {
  std::vector<uint32_t> terms;
  for (const std::string& text : phrase) {
    const auto term = lexicon.find(text);
    if (!term) return {};
    terms.push_back(*term);
  }
  std::vector<size_t> by_rarity(terms.size());
  for (size_t i = 0; i < by_rarity.size(); ++i) by_rarity[i] = i;
  std::sort(by_rarity.begin(), by_rarity.end(), [&](size_t a, size_t b) {
    return lexicon.texts_with(terms[a]) < lexicon.texts_with(terms[b]);
  });
  // Where the phrase may begin, by text; each term keeps those that it confirms.
  struct Start {
    uint32_t text;
    uint32_t position;
    auto operator<=>(const Start&) const = default;
  };
  std::vector<Start> starts;
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
  std::vector<uint32_t> texts;
  for (const Start& start : starts) {
    if (texts.empty() || texts.back() != start.text) texts.push_back(start.text);
  }
  return texts;
}

}  // namespace

LetterQuery letter_query(std::string_view text) {
  LetterQuery query;
  bool quoted = false;
  while (true) {
    const size_t quote = text.find('"');
    std::vector<std::string> terms = terms_of(text.substr(0, quote));
    query.words.insert(query.words.end(), terms.begin(), terms.end());
    if (quoted && !terms.empty()) query.phrases.push_back(std::move(terms));
    if (quote == std::string_view::npos) return query;
    text.remove_prefix(quote + 1);
    quoted = !quoted;
  }
}

float complete_letter_nats(std::span<const PlacedLexicon> parts, const LetterQuery& query) {
  double texts = 0;
  for (const PlacedLexicon& part : parts) texts += static_cast<double>(part->texts());
  double nats = 0;
  for (const QueryWord& word : query_words(parts, query, texts)) nats += word.nats[0];
  return static_cast<float>(nats);
}

LetterEvidence letter_evidence(std::span<const PlacedLexicon> parts, const LetterQuery& query,
                               uint64_t rows) {
  uint64_t texts = 0;
  uint64_t length = 0;
  for (const PlacedLexicon& part : parts) {
    texts += part->texts();
    length += part->total_length();
  }
  const double mean_length =
      texts > 0 ? std::max(1.0, static_cast<double>(length) / static_cast<double>(texts)) : 1;
  const std::vector<QueryWord> words = query_words(parts, query, static_cast<double>(texts));
  LetterEvidence evidence;
  bool found = false;
  for (const QueryWord& word : words) {
    evidence.complete += static_cast<float>(word.nats[0]);
    found = found || !word.variants.empty();
  }
  if (!found) return evidence;
  evidence.nats.resize(rows);
  for (size_t i = 0; i < parts.size(); ++i) {
    PartEvidence part(parts[i], i, mean_length);
    part.add_words(words);
    part.add_order(words, query);
    part.put(evidence.nats);
  }
  return evidence;
}

std::vector<uint64_t> rows_with_phrases(std::span<const PlacedLexicon> parts,
                                        const std::vector<std::vector<std::string>>& phrases) {
  std::vector<uint64_t> rows;
  for (const PlacedLexicon& part : parts) {
    std::optional<std::vector<uint32_t>> texts;
    for (const std::vector<std::string>& phrase : phrases) {
      std::vector<uint32_t> found = texts_with_phrase(*part.lexicon, phrase);
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

std::vector<MatchedWord> matched_words(const LetterQuery& query, const std::vector<Word>& words) {
  std::vector<MatchedWord> matches;
  for (size_t i = 0; i < words.size(); ++i) {
    std::optional<MatchedWord> best;
    const auto offer = [&](const std::string& query_word, int edits) {
      if (!best || edits < best->edits) best = MatchedWord{i, query_word, edits};
    };
    for (const std::string& term : terms_of(words[i].text)) {
      const std::u32string letters = code_points(term);
      for (size_t j = 0; j < query.words.size(); ++j) {
        const std::u32string wanted = code_points(query.words[j]);
        const int limit = allowed_edits(wanted.size());
        if (const int edits = edit_distance(wanted, letters, limit); edits <= limit)
          offer(query.words[j], edits);
        if (j + 1 < query.words.size() && term == query.words[j] + query.words[j + 1])
          offer(query.words[j] + " " + query.words[j + 1], 1);
      }
    }
    if (best) matches.push_back(*std::move(best));
  }
  return matches;
}

}  // namespace zeroshelf
