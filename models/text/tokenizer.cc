// Tested by tests/text/tokenizer_test.cc.

#include "models/text/tokenizer.h"

#include <fmt/format.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>
#include <zlib.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <queue>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/json_object.h"
#include "models/checkpoint/strict_json.h"
#include "models/text/text_cleaning.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxFileBytes = 256 << 20;
constexpr const char* kOpenAiName = "bpe_simple_vocab_16e6.txt.gz";
constexpr size_t kOpenAiMerges =
    49152 - 256 - 2;  // the file has more; the model was trained with these
constexpr std::string_view kStart = "<|startoftext|>";
constexpr std::string_view kEnd = "<|endoftext|>";
constexpr std::string_view kWordEnd = "</w>";
// What the reference's pattern takes as words of their own. It ignores case, and the long s is a
// small form of s.
constexpr std::string_view kEndings[] = {"'s", "'\u017f", "'t", "'re", "'ve", "'m", "'ll", "'d"};

struct Marks {
  std::string_view start;
  std::string_view end;
};
constexpr Marks kOpenAiMarks = {kStart, kEnd};
constexpr Marks kOpenClipMarks = {"<start_of_text>", "<end_of_text>"};

[[noreturn]] void fail(const std::string& subject, const std::string& cause) {
  throw Error(ErrorCode::Corruption, subject, "damaged: " + cause, "fetch the file again");
}

std::string unpacked(const fs::path& path) {
  const gzFile file = ::gzopen(path.c_str(), "rb");  // reads plain files too
  if (file == nullptr) throw Error(ErrorCode::NotFound, path.string(), "cannot open");
  std::string text;
  char buffer[1 << 16];
  int got = 0;
  while ((got = ::gzread(file, buffer, sizeof buffer)) > 0 && text.size() < kMaxFileBytes) {
    text.append(buffer, static_cast<size_t>(got));
  }
  const bool closed = ::gzclose(file) == Z_OK;
  if (got != 0 || !closed) fail(path.string(), "it cannot be unpacked");
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    lines.push_back(text.substr(start, end - start));
    if (lines.back().ends_with('\r')) lines.back().pop_back();
    start = end + 1;
  }
  return lines;
}

// Bytes are written as letters in the vocabulary: printable Latin-1 characters as themselves, the
// other 68 as the characters from U+0100 on. In the order in which the ids follow each other.
struct ByteLetter {
  uint8_t byte;
  std::string letter;  // UTF-8
};

std::string utf8(char32_t c) {
  if (c < 0x80) return {static_cast<char>(c)};
  return {static_cast<char>(0xc0 | c >> 6), static_cast<char>(0x80 | (c & 0x3f))};
}

std::vector<ByteLetter> byte_letters() {
  std::vector<ByteLetter> letters;
  const auto printable = [](int byte) {
    return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  };
  for (int byte = 0; byte < 256; ++byte) {
    if (printable(byte))
      letters.push_back({static_cast<uint8_t>(byte), utf8(static_cast<char32_t>(byte))});
  }
  char32_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    if (!printable(byte)) letters.push_back({static_cast<uint8_t>(byte), utf8(next++)});
  }
  return letters;
}

uint64_t pair_key(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

// --- splitting ----------------------------------------------------------------------------------

enum class CharacterClass { Letter, Number, Space, Other };

CharacterClass class_of(UChar32 c) {
  if (c < 0) return CharacterClass::Other;
  const uint32_t mask = U_GET_GC_MASK(c);
  if (mask & U_GC_L_MASK) return CharacterClass::Letter;
  if (mask & U_GC_N_MASK) return CharacterClass::Number;
  return u_isUWhiteSpace(c) ? CharacterClass::Space : CharacterClass::Other;
}

// Cuts cleaned text into words as OpenAI's pattern does: the two marks; the endings 's 't 're 've
// 'm 'll 'd; runs of letters; single numbers; runs of anything else but white space.
class WordSplitter {
 public:
  WordSplitter(std::string_view text, const Marks& marks) : text_(text), marks_(marks) {}

  // The next word; empty at the end.
  std::string_view next() {
    while (position_ < text_.size() && class_at(position_) == CharacterClass::Space)
      position_ += length_at(position_);
    if (position_ >= text_.size()) return {};
    const std::string_view rest = text_.substr(position_);
    for (const std::string_view mark : {marks_.start, marks_.end}) {
      if (rest.starts_with(mark)) return take(mark.size());
    }
    for (const std::string_view ending : kEndings) {
      if (rest.starts_with(ending)) return take(ending.size());
    }
    const CharacterClass kind = class_at(position_);
    size_t end = position_ + length_at(position_);
    if (kind != CharacterClass::Number) {
      while (end < text_.size() && class_at(end) == kind) end += length_at(end);
    }
    return take(end - position_);
  }

 private:
  std::string_view take(size_t length) {
    const std::string_view word = text_.substr(position_, length);
    position_ += length;
    return word;
  }

  UChar32 character_at(size_t position, size_t& length) const {
    const auto* data = reinterpret_cast<const uint8_t*>(text_.data());
    auto i = static_cast<int64_t>(position);
    UChar32 c = 0;
    U8_NEXT(data, i, static_cast<int64_t>(text_.size()), c);
    length = static_cast<size_t>(i) - position;
    return c;
  }
  CharacterClass class_at(size_t position) const {
    size_t length = 0;
    return class_of(character_at(position, length));
  }
  size_t length_at(size_t position) const {
    size_t length = 0;
    character_at(position, length);
    return length;
  }

  std::string_view text_;
  const Marks& marks_;
  size_t position_ = 0;
};

}  // namespace

std::vector<std::vector<std::string>> spelled_words(std::string_view text) {
  static const std::vector<std::string> letter_of = [] {
    std::vector<std::string> letters(256);
    for (ByteLetter& letter : byte_letters()) letters[letter.byte] = std::move(letter.letter);
    return letters;
  }();
  const std::string cleaned = clean_text(text);
  WordSplitter splitter(cleaned, kOpenAiMarks);
  std::vector<std::vector<std::string>> words;
  for (std::string_view word; !(word = splitter.next()).empty();) {
    if (word == kStart || word == kEnd) continue;
    std::vector<std::string>& symbols = words.emplace_back();
    for (const char byte : word) symbols.push_back(letter_of[static_cast<uint8_t>(byte)]);
    symbols.back() += kWordEnd;
  }
  return words;
}

std::vector<std::string> byte_symbols() {
  std::vector<std::string> symbols;
  for (const std::string_view ending : {std::string_view(), kWordEnd}) {
    for (const ByteLetter& letter : byte_letters()) {
      symbols.push_back(letter.letter + std::string(ending));
    }
  }
  return symbols;
}

Tokenizer::Tokenizer(const Vocabulary& vocabulary, const std::vector<std::string>& merges,
                     const std::string& subject) {
  const auto id_of = [&](const std::string& symbol) {
    const auto found = vocabulary.find(symbol);
    if (found == vocabulary.end()) fail(subject, fmt::format("the vocabulary has no '{}'", symbol));
    return found->second;
  };
  for (const ByteLetter& letter : byte_letters()) {
    byte_ids_[0][letter.byte] = id_of(letter.letter);
    byte_ids_[1][letter.byte] = id_of(letter.letter + std::string(kWordEnd));
  }
  start_id_ = id_of(std::string(kStart));
  end_id_ = id_of(std::string(kEnd));
  for (const auto& [symbol, id] : vocabulary) size_ = std::max(size_, id + 1);
  Checksum128 checksum;
  for (uint32_t rank = 0; rank < merges.size(); ++rank) {
    const size_t space = merges[rank].find(' ');
    if (space == std::string::npos)
      fail(subject, fmt::format("merge {} is not two symbols", rank + 1));
    const std::string left = merges[rank].substr(0, space);
    const std::string right = merges[rank].substr(space + 1);
    const Merge merge{rank, id_of(left + right)};
    merges_.emplace(pair_key(id_of(left), id_of(right)), merge);
    checksum.update(merges[rank]);
    checksum.update(std::to_string(merge.result));
  }
  checksum.update(fmt::format("{} {}", start_id_, end_id_));
  checksum_ = checksum.hex();
}

Tokenizer Tokenizer::load(const fs::path& folder, const fs::path& file,
                          const TokenizerOptions& options) {
  Tokenizer tokenizer = read(folder, file);
  tokenizer.options_ = options;
  return tokenizer;
}

Tokenizer Tokenizer::read(const fs::path& folder, const fs::path& file) {
  if (!file.empty()) {
    if (!fs::exists(file))
      throw Error(ErrorCode::NotFound, file.string(), "no such file",
                  "name the vocabulary with --vocab FILE");
    if (file.filename() == "tokenizer.json") return from_tokenizer_json(file);
    if (file.extension() == ".json")
      return from_vocabulary(file, file.parent_path() / "merges.txt");
    return from_merges_alone(file);
  }
  if (fs::exists(folder / "vocab.json") && fs::exists(folder / "merges.txt")) {
    return from_vocabulary(folder / "vocab.json", folder / "merges.txt");
  }
  if (fs::exists(folder / "tokenizer.json")) return from_tokenizer_json(folder / "tokenizer.json");
  if (fs::exists(folder / kOpenAiName)) return from_merges_alone(folder / kOpenAiName);
  throw Error(ErrorCode::NotFound, folder.string(), "no vocabulary",
              fmt::format("put vocab.json and merges.txt, tokenizer.json, or {} there, or name it "
                          "with --vocab FILE",
                          kOpenAiName));
}

// The ids follow from the merges: bytes, bytes at a word's end, merges, the two marks.
Tokenizer Tokenizer::from_merges_alone(const fs::path& path) {
  std::vector<std::string> merges = lines_of(unpacked(path));
  if (merges.size() < 2) fail(path.string(), "it has no merges");
  merges.erase(merges.begin());  // the version
  merges.resize(std::min(merges.size(), kOpenAiMerges));
  Vocabulary vocabulary;
  int32_t next = 0;
  for (const std::string& symbol : byte_symbols()) vocabulary.emplace(symbol, next++);
  for (const std::string& merge : merges) {
    std::string joined = merge;
    std::erase(joined, ' ');
    vocabulary[joined] = next++;
  }
  vocabulary[std::string(kStart)] = next++;
  vocabulary[std::string(kEnd)] = next++;
  return Tokenizer(vocabulary, merges, path.string());
}

namespace {

int32_t token_id(const nlohmann::json& json, const std::string& subject) {
  const auto id = json_as<int32_t>(json);
  if (!id || *id < 0 || *id == INT32_MAX) fail(subject, "an id is not a number");
  return *id;
}

std::unordered_map<std::string, int32_t> vocabulary_from(const nlohmann::json& json,
                                                         const std::string& subject) {
  std::unordered_map<std::string, int32_t> vocabulary;
  for (const auto& [symbol, id] : json.items()) {
    vocabulary.emplace(symbol, token_id(id, subject));
  }
  return vocabulary;
}

}  // namespace

Tokenizer Tokenizer::from_vocabulary(const fs::path& vocabulary, const fs::path& merges) {
  const auto json = parse_strict_json(read_file(vocabulary, kMaxFileBytes), vocabulary.string());
  std::vector<std::string> lines = lines_of(read_file(merges, kMaxFileBytes));
  if (!lines.empty() && lines[0].starts_with("#version")) lines.erase(lines.begin());
  return Tokenizer(vocabulary_from(json, vocabulary.string()), lines, merges.string());
}

Tokenizer Tokenizer::from_tokenizer_json(const fs::path& path) {
  const std::string subject = path.string();
  const nlohmann::json json = parse_strict_json(read_file(path, kMaxFileBytes), subject);
  const auto model = json.find("model");
  if (model == json.end() || !model->is_object() || !model->contains("vocab") ||
      !(*model)["vocab"].is_object() || !model->contains("merges") ||
      !(*model)["merges"].is_array()) {
    fail(subject, "it has no model with vocab and merges");
  }
  Vocabulary vocabulary = vocabulary_from((*model)["vocab"], subject);
  if (json.contains("added_tokens") && json["added_tokens"].is_array()) {
    for (const auto& token : json["added_tokens"]) {
      if (!token.is_object() || !token.contains("content") || !token["content"].is_string() ||
          !token.contains("id")) {
        fail(subject, "an added token is not text and id");
      }
      vocabulary.emplace(token["content"].get<std::string>(), token_id(token["id"], subject));
    }
  }
  std::vector<std::string> merges;
  for (const auto& merge : (*model)["merges"]) {
    if (merge.is_string()) {
      merges.push_back(merge.get<std::string>());
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
               merge[1].is_string()) {
      merges.push_back(merge[0].get<std::string>() + " " + merge[1].get<std::string>());
    } else {
      fail(subject, "a merge is not two symbols");
    }
  }
  return Tokenizer(vocabulary, merges, subject);
}

std::vector<int32_t> Tokenizer::encode(std::string_view text) const {
  const std::string cleaned = clean_text(text, options_.cleaning);
  const Marks& marks = options_.has_open_clip_marks ? kOpenClipMarks : kOpenAiMarks;
  WordSplitter splitter(cleaned, marks);
  std::vector<int32_t> ids;
  for (std::string_view word; !(word = splitter.next()).empty();) {
    if (word == marks.start) {
      ids.push_back(start_id_);
    } else if (word == marks.end) {
      ids.push_back(end_id_);
    } else {
      append_word(word, ids);
    }
  }
  return ids;
}

// Merges pairs of neighbours, the lowest rank first and the leftmost of equals. A heap and a linked
// list keep a word of a million letters from taking quadratic time.
void Tokenizer::append_word(std::string_view word, std::vector<int32_t>& ids) const {
  constexpr uint32_t kNone = UINT32_MAX;
  struct Symbol {
    int32_t id;
    uint32_t previous;
    uint32_t next;
  };
  struct Candidate {
    uint32_t rank;
    uint32_t left;  // position
    int32_t left_id;
    int32_t right_id;
    bool operator>(const Candidate& other) const {
      return rank != other.rank ? rank > other.rank : left > other.left;
    }
  };
  const auto size = static_cast<uint32_t>(word.size());
  std::vector<Symbol> symbols(size);
  for (uint32_t i = 0; i < size; ++i) {
    const bool last = i + 1 == size;
    symbols[i] = {byte_ids_[last ? 1 : 0][static_cast<uint8_t>(word[i])], i == 0 ? kNone : i - 1,
                  last ? kNone : i + 1};
  }
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates;
  const auto consider = [&](uint32_t left) {
    if (left == kNone || symbols[left].next == kNone) return;
    const int32_t right_id = symbols[symbols[left].next].id;
    const auto merge = merges_.find(pair_key(symbols[left].id, right_id));
    if (merge != merges_.end())
      candidates.push({merge->second.rank, left, symbols[left].id, right_id});
  };
  for (uint32_t i = 0; i + 1 < size; ++i) consider(i);
  constexpr int32_t kGone = -1;
  while (!candidates.empty()) {
    const Candidate best = candidates.top();
    candidates.pop();
    Symbol& left = symbols[best.left];
    if (left.id != best.left_id || left.next == kNone || symbols[left.next].id != best.right_id)
      continue;  // outdated
    Symbol& right = symbols[left.next];
    left.id = merges_.at(pair_key(best.left_id, best.right_id)).result;
    right.id = kGone;
    left.next = right.next;
    if (left.next != kNone) symbols[left.next].previous = best.left;
    consider(left.previous);
    consider(best.left);
  }
  for (uint32_t i = 0; i != kNone && size > 0; i = symbols[i].next) ids.push_back(symbols[i].id);
}

}  // namespace zeroshelf
