// Tested by tests/text/piece_tokenizer_test.cc and tests/clip/golden_models_test.cc.

#include "models/text/piece_tokenizer.h"

#include <fmt/format.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <queue>

#include "lib/util/error.h"
#include "lib/util/hash.h"

namespace zeroshelf {
namespace {

constexpr std::string_view kSpace = "\u2581";
constexpr std::string_view kReplacement = "\ufffd";
constexpr float kUnknownPenalty = 10;  // below the least likely piece
constexpr size_t kMaxPieceBytes = 512;

// The first letter's bytes; of what is not UTF-8, one byte.
size_t letter_bytes(std::string_view text, bool& is_sound) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  int64_t end = 0;
  UChar32 letter = 0;
  U8_NEXT(bytes, end, static_cast<int64_t>(text.size()), letter);
  is_sound = letter >= 0;
  return is_sound ? static_cast<size_t>(end) : 1;
}
size_t letter_bytes(std::string_view text) {
  bool ignored = false;
  return letter_bytes(text, ignored);
}

// The pieces that a text begins with, by growing length. Pieces are sorted by their bytes.
template <class Found>
void find_beginnings(const std::vector<std::pair<std::string_view, int32_t>>& pieces,
                     std::string_view text, Found found) {
  auto low = pieces.begin();
  auto high = pieces.end();
  for (size_t size = 1; size <= text.size() && low != high; ++size) {
    const auto byte = static_cast<uint8_t>(text[size - 1]);
    const auto at = [size](const auto& piece) {
      return piece.first.size() < size ? -1 : static_cast<uint8_t>(piece.first[size - 1]);
    };
    low = std::partition_point(low, high, [&](const auto& piece) { return at(piece) < byte; });
    high = std::partition_point(low, high, [&](const auto& piece) { return at(piece) == byte; });
    if (low != high && low->first.size() == size) found(low->second, size);
  }
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

PieceTokenizer::PieceTokenizer(PieceModel model, const PieceMarks& marks, Cleaning cleaning,
                               const std::string& subject)
    : model_(std::move(model)), marks_(marks), cleaning_(cleaning) {
  bytes_.fill(-1);
  float least = 0;
  Checksum128 checksum;
  for (size_t i = 0; i < model_.pieces.size(); ++i) {
    const Piece& piece = model_.pieces[i];
    const auto id = static_cast<int32_t>(i);
    if (piece.text.size() > kMaxPieceBytes)
      throw Error(ErrorCode::Corruption, subject, fmt::format("damaged: piece {} is too long", i));
    if (piece.is_literal && !piece.text.empty()) literal_.emplace_back(piece.text, id);
    if (piece.kind == Piece::Kind::Normal && !piece.text.empty()) {
      normal_.emplace(piece.text, id);
      sorted_.emplace_back(piece.text, id);
      if (std::isfinite(piece.score)) least = std::min(least, piece.score);
    } else if (piece.kind == Piece::Kind::Whole && !piece.text.empty()) {
      whole_.emplace_back(piece.text, id);
    } else if (piece.kind == Piece::Kind::Byte && piece.text.size() == 6) {
      const int high = hex_digit(piece.text[3]);
      const int low = hex_digit(piece.text[4]);
      if (high >= 0 && low >= 0) bytes_[static_cast<size_t>(high * 16 + low)] = id;
    }
    checksum.update(fmt::format("{} {} {} {}\n", piece.text.size(), static_cast<int>(piece.kind),
                                piece.is_literal,
                                std::bit_cast<uint32_t>(piece.score)));
    checksum.update(piece.text);
  }
  unknown_score_ = least - kUnknownPenalty;
  std::sort(sorted_.begin(), sorted_.end());
  std::sort(whole_.begin(), whole_.end());
  std::sort(literal_.begin(), literal_.end());
  const auto is_piece = [&](int32_t id) { return id >= 0 && id < size(); };
  if (!is_piece(marks_.end) || !is_piece(marks_.pad) || !is_piece(marks_.start.value_or(0))) {
    throw Error(ErrorCode::Corruption, subject, "damaged: a mark is no piece",
                "fetch the file again");
  }
  checksum.update(fmt::format("{} {} {} {} {} {} {} {} {}", static_cast<int>(model_.kind),
                              model_.unknown_id, model_.has_bytes, model_.adds_space,
                              model_.folds_spaces, marks_.start.value_or(-1), marks_.end, marks_.pad,
                              static_cast<int>(cleaning_)));
  if (model_.adds_space_to_parts) checksum.update("parts");
  checksum.update(model_.character_map);
  checksum_ = checksum.hex();
}

// Cuts the text at these pieces, the leftmost and longest first; append gets what lies between.
template <class Append>
void PieceTokenizer::split(const Sorted& pieces, std::string_view text, std::vector<int32_t>& ids,
                           Append append) {
  size_t begin = 0;
  for (size_t at = 0; at < text.size() && !pieces.empty();) {
    std::optional<std::pair<int32_t, size_t>> longest;
    find_beginnings(pieces, text.substr(at),
                    [&](int32_t id, size_t bytes) { longest = {id, bytes}; });
    if (!longest) {
      at += letter_bytes(text.substr(at));
      continue;
    }
    append(text.substr(begin, at - begin));
    ids.push_back(longest->first);
    at += longest->second;
    begin = at;
  }
  append(text.substr(begin));
}

std::vector<int32_t> PieceTokenizer::encode(std::string_view text) const {
  // transformers looks for the marks first and cleans what lies between them; OpenCLIP's tokenizers
  // clean the whole.
  const bool cleans_parts = cleaning_ == Cleaning::NoPunctuation;
  const std::string cleaned = cleans_parts ? std::string(text) : clean_text(text, cleaning_);
  std::vector<int32_t> ids;
  bool is_first = true;
  split(literal_, cleaned, ids, [&](std::string_view part) {
    append_part(cleans_parts ? clean_text(part, cleaning_) : std::string(part), is_first, ids);
    is_first = false;
  });
  return ids;
}

void PieceTokenizer::append_part(std::string_view text, bool is_first,
                                 std::vector<int32_t>& ids) const {
  const std::string part =
      normalised(text, model_.adds_space && (is_first || model_.adds_space_to_parts));
  split(whole_, part, ids,
        [&](std::string_view letters) { append_letters(std::string(letters), ids); });
}

void PieceTokenizer::append_letters(const std::string& text, std::vector<int32_t>& ids) const {
  if (text.empty()) return;
  if (model_.kind == PieceModel::Kind::Unigram) {
    append_unigrams(text, ids);
  } else {
    append_pairs(text, ids);
  }
}

// --- normalising --------------------------------------------------------------------------------

// What the text's beginning becomes, and how many bytes of it: the longest entry of the character
// map, else one letter. The map is a trie of 32-bit units (Yata's Darts-clone) and texts that end
// with 0.
std::string_view PieceTokenizer::mapped(std::string_view text, size_t& bytes) const {
  bool is_sound = false;
  bytes = letter_bytes(text, is_sound);
  const std::string_view letter = is_sound ? text.substr(0, bytes) : kReplacement;
  const std::string_view map = model_.character_map;
  uint32_t trie_bytes = 0;
  if (map.size() < sizeof trie_bytes) return letter;
  std::memcpy(&trie_bytes, map.data(), sizeof trie_bytes);
  if (trie_bytes > map.size() - sizeof trie_bytes) return letter;
  const std::string_view trie = map.substr(sizeof trie_bytes, trie_bytes);
  const std::string_view texts = map.substr(sizeof trie_bytes + trie_bytes);
  const auto unit_at = [&](size_t place) {
    uint32_t unit = 0;
    if (place < trie.size() / sizeof unit)
      std::memcpy(&unit, trie.data() + place * sizeof unit, sizeof unit);
    return unit;
  };
  const auto offset_of = [](uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); };
  constexpr uint32_t kHasValue = 1u << 8;
  constexpr uint32_t kIsValue = 1u << 31;
  size_t place = offset_of(unit_at(0));
  std::optional<uint32_t> value;
  for (size_t size = 1; size <= text.size(); ++size) {
    const auto byte = static_cast<uint8_t>(text[size - 1]);
    place ^= byte;
    const uint32_t unit = unit_at(place);
    if ((unit & (kIsValue | 0xff)) != byte) break;
    place ^= offset_of(unit);
    if ((unit & kHasValue) == 0) continue;
    value = unit_at(place) & ~kIsValue;
    bytes = size;
  }
  if (!value || *value >= texts.size()) {
    bytes = letter_bytes(text, is_sound);
    return letter;
  }
  const std::string_view rest = texts.substr(*value);
  return rest.substr(0, rest.find('\0'));
}

std::string PieceTokenizer::normalised(std::string_view text, bool adds_space) const {
  std::string plain;
  for (size_t bytes = 0; !text.empty(); text.remove_prefix(bytes)) plain += mapped(text, bytes);
  std::string result;
  bool was_space = model_.folds_spaces;
  for (const char byte : plain) {
    if (byte == ' ' && was_space) continue;
    was_space = byte == ' ' && model_.folds_spaces;
    if (result.empty() && adds_space) result = kSpace;
    if (byte == ' ') {
      result += kSpace;
    } else {
      result += byte;
    }
  }
  while (model_.folds_spaces && result.ends_with(kSpace)) result.resize(result.size() - kSpace.size());
  return result;
}

// --- cutting ------------------------------------------------------------------------------------

void PieceTokenizer::append_unknown(std::string_view letter, bool& was_unknown,
                                    std::vector<int32_t>& ids) const {
  const bool has_bytes =
      model_.has_bytes && std::all_of(letter.begin(), letter.end(), [&](char byte) {
        return bytes_[static_cast<uint8_t>(byte)] >= 0;
      });
  if (has_bytes) {
    for (const char byte : letter) ids.push_back(bytes_[static_cast<uint8_t>(byte)]);
  } else if (!was_unknown) {
    ids.push_back(model_.unknown_id);  // one for all that stand together
  }
  was_unknown = !has_bytes;
}

// The likeliest way to cut the text (Viterbi).
void PieceTokenizer::append_unigrams(const std::string& text, std::vector<int32_t>& ids) const {
  struct Best {
    double score = -INFINITY;
    size_t begin = 0;
    int32_t id = -1;  // -1: a letter in no piece
  };
  std::vector<Best> best(text.size() + 1);
  best[0].score = 0;
  const auto offer = [&](size_t begin, size_t end, double score, int32_t id) {
    if (best[begin].score + score > best[end].score)
      best[end] = {best[begin].score + score, begin, id};
  };
  for (size_t begin = 0; begin < text.size();) {
    const std::string_view rest = std::string_view(text).substr(begin);
    const size_t letter = letter_bytes(rest);
    bool has_letter = false;
    find_beginnings(sorted_, rest, [&](int32_t id, size_t bytes) {
      has_letter = has_letter || bytes == letter;
      offer(begin, begin + bytes, model_.pieces[static_cast<size_t>(id)].score, id);
    });
    if (!has_letter) offer(begin, begin + letter, unknown_score_, -1);
    begin += letter;
  }
  std::vector<size_t> ends;
  for (size_t end = text.size(); end > 0; end = best[end].begin) ends.push_back(end);
  bool was_unknown = false;
  for (auto end = ends.rbegin(); end != ends.rend(); ++end) {
    const Best& cut = best[*end];
    if (cut.id < 0) {
      append_unknown(std::string_view(text).substr(cut.begin, *end - cut.begin), was_unknown, ids);
    } else {
      ids.push_back(cut.id);
      was_unknown = false;
    }
  }
}

// Joins neighbours whose joint text is a piece, the best first and the leftmost of equals.
void PieceTokenizer::append_pairs(const std::string& text, std::vector<int32_t>& ids) const {
  constexpr uint32_t kNone = UINT32_MAX;
  struct Symbol {
    size_t begin;
    size_t bytes;  // 0: joined to another
    uint32_t previous;
    uint32_t next;
  };
  struct Candidate {
    float score;
    uint32_t left;
    size_t bytes;  // of both
    bool operator<(const Candidate& other) const {
      return score != other.score ? score < other.score : left > other.left;
    }
  };
  std::vector<Symbol> symbols;
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = letter_bytes(std::string_view(text).substr(at));
    const auto place = static_cast<uint32_t>(symbols.size());
    symbols.push_back({at, bytes, place == 0 ? kNone : place - 1, place + 1});
    at += bytes;
  }
  if (symbols.empty()) return;
  symbols.back().next = kNone;
  std::priority_queue<Candidate> candidates;
  const auto consider = [&](uint32_t left) {
    if (left == kNone || symbols[left].next == kNone) return;
    const size_t bytes = symbols[left].bytes + symbols[symbols[left].next].bytes;
    if (bytes > kMaxPieceBytes) return;
    const auto found = normal_.find(std::string_view(text).substr(symbols[left].begin, bytes));
    if (found == normal_.end()) return;
    const float score = model_.pieces[static_cast<size_t>(found->second)].score;
    if (std::isfinite(score)) candidates.push({score, left, bytes});
  };
  for (uint32_t i = 0; i < symbols.size(); ++i) consider(i);
  while (!candidates.empty()) {
    const Candidate best = candidates.top();
    candidates.pop();
    Symbol& left = symbols[best.left];
    if (left.bytes == 0 || left.next == kNone ||
        left.bytes + symbols[left.next].bytes != best.bytes) {
      continue;  // outdated
    }
    Symbol& right = symbols[left.next];
    left.bytes = best.bytes;
    left.next = right.next;
    right.bytes = 0;
    if (left.next != kNone) symbols[left.next].previous = best.left;
    consider(left.previous);
    consider(best.left);
  }
  bool was_unknown = false;
  for (uint32_t i = 0; i != kNone; i = symbols[i].next) {
    const auto part = std::string_view(text).substr(symbols[i].begin, symbols[i].bytes);
    const auto found = normal_.find(part);
    if (found == normal_.end()) {
      append_unknown(part, was_unknown, ids);
    } else {
      ids.push_back(found->second);
      was_unknown = false;
    }
  }
}

}  // namespace zeroshelf
