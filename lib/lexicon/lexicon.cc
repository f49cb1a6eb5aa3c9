// Tested by tests/lexicon/lexicon_test.cc.

#include "lib/lexicon/lexicon.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "lib/lexicon/tokens.h"
#include "lib/util/bytes.h"
#include "lib/util/edit_distance.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr std::string_view kMagic = "zslexi01";

// The numbers at the beginning of the file, behind the magic.
struct Header {
  uint64_t epoch;
  uint64_t generation;
  uint64_t rows;
  uint64_t texts;
  uint64_t terms;
  uint64_t letter_bytes;
  uint64_t posting_bytes;
};
constexpr size_t kHeaderBytes = 8 + sizeof(Header);
constexpr size_t kSealBytes = 8;

// Letters fall into 32 kinds; a bit for one of a kind and another for two or more. One inserted or
// deleted letter changes one bit at most, a replaced one two, exchanged neighbours none.
uint64_t signature(std::u32string_view letters) {
  uint64_t bits = 0;
  for (const char32_t letter : letters) {
    const unsigned kind = letter * 2'654'435'761U >> 27;
    bits |= bits >> kind & 1 ? uint64_t{1} << (kind + 32) : uint64_t{1} << kind;
  }
  return bits;
}

bool has_at_most(uint64_t bits, int count) {
  for (; count > 0; --count) bits &= bits - 1;
  return bits == 0;
}

size_t letter_count(std::string_view utf8) {
  return static_cast<size_t>(std::count_if(
      utf8.begin(), utf8.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
}

// Reads postings; a damaged one must not be read past its end.
struct PostingReader {
  const uint8_t* at;
  const uint8_t* end;
  bool good = true;

  size_t left() const { return static_cast<size_t>(end - at); }

  uint32_t next() {
    if (at != end && *at < 0x80) return *at++;  // nearly all
    uint64_t value = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      if (at == end) break;
      const uint8_t byte = *at++;
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) {
        good = good && value <= UINT32_MAX;
        return static_cast<uint32_t>(value);
      }
    }
    good = false;
    return 0;
  }

  void pass_over() {
    while (at != end && *at >= 0x80) ++at;
    good = good && at != end;
    at += at != end;
  }
};

void append_varint(std::string& out, uint32_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

}  // namespace

// --- reading ------------------------------------------------------------------------------------

Lexicon Lexicon::map(const std::filesystem::path& path) {
  Lexicon lexicon;
  lexicon.subject_ = path.string();
  lexicon.file_ = MappedFile(path);
  lexicon.attach(lexicon.file_.bytes());
  return lexicon;
}

Lexicon Lexicon::of_bytes(std::string bytes) {
  Lexicon lexicon;
  lexicon.subject_ = "lexicon";
  lexicon.memory_ = std::move(bytes);  // long enough to stay in place when it is moved again
  lexicon.attach(std::as_bytes(std::span(lexicon.memory_)));
  return lexicon;
}

void Lexicon::damaged(const char* cause) const {
  throw Error(ErrorCode::Corruption, subject_, std::string("damaged: ") + cause,
              "run zeroshelf-index repair");
}

void Lexicon::attach(std::span<const std::byte> bytes) {
  bytes_ = bytes;
  if (bytes.size() < kHeaderBytes + kSealBytes) damaged("it is too short");
  if (std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0)
    damaged("it is of another kind");
  Header header;
  std::memcpy(&header, bytes.data() + kMagic.size(), sizeof header);
  origin_ = {header.epoch, header.generation, header.rows};
  constexpr uint64_t kMost = UINT32_MAX;
  ArrayReader arrays(bytes.subspan(kHeaderBytes, bytes.size() - kHeaderBytes - kSealBytes));
  const size_t left = arrays.left().size();
  if (header.texts > kMost || header.terms > kMost || header.letter_bytes > left ||
      header.posting_bytes > left) {
    damaged("its counts are out of range");
  }
  std::span<const char> letters;
  std::span<const char> postings;
  const bool fits =
      arrays.next(owners_, header.texts) && arrays.next(signatures_, header.terms) &&
      arrays.next(term_ends_, header.terms) && arrays.next(posting_ends_, header.terms) &&
      arrays.next(lengths_, header.texts) && arrays.next(text_counts_, header.terms) &&
      arrays.next(letters, header.letter_bytes) && arrays.next(postings, header.posting_bytes);
  if (!fits || !arrays.left().empty()) damaged("its counts do not fit its size");
  letters_ = {letters.data(), letters.size()};
  postings_ = {postings.data(), postings.size()};
  for (size_t i = 0; i < owners_.size(); ++i) {
    if (owners_[i] >= origin_.rows || (i > 0 && owners_[i] <= owners_[i - 1]))
      damaged("a text belongs to no picture");
    total_length_ += lengths_[i];
  }
  if (std::ranges::any_of(text_counts_, [&](uint32_t count) { return count > header.texts; }))
    damaged("a term is in more texts than there are");
}

std::string_view Lexicon::term(uint32_t term) const {
  const uint64_t begin = term == 0 ? 0 : term_ends_[term - 1];
  if (begin > term_ends_[term] || term_ends_[term] > letters_.size()) damaged("a term has no end");
  return letters_.substr(begin, term_ends_[term] - begin);
}

uint32_t Lexicon::first_of_length(size_t length) const {
  uint32_t low = 0;
  for (auto high = static_cast<uint32_t>(terms()); low < high;) {
    const uint32_t middle = low + (high - low) / 2;
    if (letter_count(term(middle)) < length) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

std::optional<uint32_t> Lexicon::find(std::string_view wanted) const {
  const auto key = [](std::string_view text) { return std::pair(letter_count(text), text); };
  uint32_t low = 0;
  for (auto high = static_cast<uint32_t>(terms()); low < high;) {
    const uint32_t middle = low + (high - low) / 2;
    if (key(term(middle)) < key(wanted)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low < terms() && term(low) == wanted) return low;
  return std::nullopt;
}

void Lexicon::near(std::string_view word, int edits,
                   const std::function<void(uint32_t, int)>& visit) const {
  const std::u32string letters = code_points(word);
  const uint64_t mine = signature(letters);
  const size_t slack = static_cast<size_t>(edits);
  const uint32_t begin = first_of_length(letters.size() > slack ? letters.size() - slack : 1);
  const uint32_t end = first_of_length(letters.size() + slack + 1);
  for (uint32_t i = begin; i < end; ++i) {
    if (!has_at_most(signatures_[i] ^ mine, 2 * edits)) continue;
    const int distance = edit_distance(letters, code_points(term(i)), edits);
    if (distance <= edits) visit(i, distance);
  }
}

// The terms lie one behind the other, so one pass over all letters finds them.
void Lexicon::containing(std::string_view word,
                         const std::function<void(uint32_t, bool)>& visit) const {
  if (word.empty()) return;
  for (size_t at = letters_.find(word); at != std::string_view::npos;) {
    const auto end = std::ranges::upper_bound(term_ends_, at);
    if (end == term_ends_.end()) return;
    const auto index = static_cast<uint32_t>(end - term_ends_.begin());
    const size_t begin = *end - term(index).size();
    const bool whole = at + word.size() <= *end;
    if (whole) visit(index, at == begin);
    at = letters_.find(word, whole ? *end : at + 1);
  }
}

// The positions of a term in one text: to be read once, or skipped.
class Lexicon::Positions {
 public:
  Positions(const Lexicon& lexicon, PostingReader& reader, uint32_t text, uint32_t count)
      : lexicon_(lexicon), reader_(reader), text_(text), count_(count) {}

  void read(std::vector<uint32_t>& positions) {
    positions.resize(count_);
    uint64_t position = 0;
    for (uint32_t i = 0; i < count_; ++i) {
      const uint32_t gap = reader_.next();
      position += gap;
      if (!reader_.good || (gap == 0 && i > 0) || position >= lexicon_.lengths_[text_])
        lexicon_.damaged("a term's places cannot be read");
      positions[i] = static_cast<uint32_t>(position);
    }
    count_ = 0;
  }

  void pass_over() {
    for (; count_ > 0; --count_) reader_.pass_over();
  }

 private:
  const Lexicon& lexicon_;
  PostingReader& reader_;
  uint32_t text_;
  uint32_t count_;
};

template <class Take>
void Lexicon::walk(uint32_t term, const Take& take) const {
  const uint64_t begin = term == 0 ? 0 : posting_ends_[term - 1];
  const uint64_t end = posting_ends_[term];
  if (begin > end || end > postings_.size()) damaged("a term's texts have no end");
  const auto* bytes = reinterpret_cast<const uint8_t*>(postings_.data());
  PostingReader reader{bytes + begin, bytes + end};
  uint64_t text = 0;
  for (uint32_t i = 0; i < text_counts_[term]; ++i) {
    const uint32_t step = reader.next();
    text += step;
    const uint32_t count = reader.next();
    // Each place takes a byte at least, so what is left bounds the memory.
    if (!reader.good || (step == 0 && i > 0) || text >= texts() || count == 0 ||
        count > lengths_[text] || count > reader.left()) {
      damaged("a term's texts cannot be read");
    }
    Positions positions(*this, reader, static_cast<uint32_t>(text), count);
    take(static_cast<uint32_t>(text), positions);
    positions.pass_over();
  }
}

void Lexicon::for_each_text(uint32_t term, const Visit& visit) const {
  std::vector<uint32_t> places;
  walk(term, [&](uint32_t text, Positions& positions) {
    positions.read(places);
    visit(text, places);
  });
}

void Lexicon::for_each_text_among(uint32_t term, std::span<const uint32_t> some,
                                  const Visit& visit) const {
  std::vector<uint32_t> places;
  uint32_t at = 0;
  walk(term, [&](uint32_t text, Positions& positions) {
    while (at < some.size() && some[at] < text) ++at;
    if (at == some.size() || some[at] != text) return;
    positions.read(places);
    visit(at, places);
  });
}

void Lexicon::read_texts(uint32_t term, std::vector<uint32_t>& texts) const {
  texts.clear();
  walk(term, [&](uint32_t text, Positions&) { texts.push_back(text); });
}

void Lexicon::check() const {
  uint64_t seal = 0;
  const size_t body = bytes_.size() - kSealBytes;
  std::memcpy(&seal, bytes_.data() + body, sizeof seal);
  if (seal != checksum64(bytes_.first(body))) damaged("it fails its checksum");
}

// --- writing ------------------------------------------------------------------------------------

void LexiconBuilder::add(uint64_t row, const std::vector<Word>& words) {
  const auto text = static_cast<uint32_t>(owners_.size());
  std::unordered_map<std::string, std::vector<uint32_t>> positions;
  uint32_t length = 0;
  for (const Word& word : words) {
    for (std::string& term : terms_of(word.text)) positions[std::move(term)].push_back(length++);
  }
  owners_.push_back(row);
  lengths_.push_back(length);
  for (const auto& [name, places] : positions) {
    Term& term = terms_[name];
    append_varint(term.postings, text - term.last_text);
    append_varint(term.postings, static_cast<uint32_t>(places.size()));
    uint32_t last = 0;
    for (const uint32_t place : places) {
      append_varint(term.postings, place - last);
      last = place;
    }
    term.last_text = text;
    ++term.texts;
  }
}

std::string LexiconBuilder::finish(const LexiconOrigin& origin) && {
  struct Entry {
    size_t length;
    const std::string* name;
    const Term* term;
  };
  std::vector<Entry> entries;
  entries.reserve(terms_.size());
  for (const auto& [name, term] : terms_) entries.push_back({letter_count(name), &name, &term});
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.length != b.length ? a.length < b.length : *a.name < *b.name;
  });
  std::vector<uint64_t> signatures;
  std::vector<uint64_t> term_ends;
  std::vector<uint64_t> posting_ends;
  std::vector<uint32_t> text_counts;
  uint64_t letter_bytes = 0;
  uint64_t posting_bytes = 0;
  for (const Entry& entry : entries) {
    signatures.push_back(signature(code_points(*entry.name)));
    term_ends.push_back(letter_bytes += entry.name->size());
    posting_ends.push_back(posting_bytes += entry.term->postings.size());
    text_counts.push_back(entry.term->texts);
  }
  ByteWriter writer;
  const Header header{origin.epoch,   origin.generation, origin.rows,  owners_.size(),
                      entries.size(), letter_bytes,      posting_bytes};
  writer.raw(std::as_bytes(std::span(kMagic)));
  writer.raw(std::as_bytes(std::span(&header, 1)));
  writer.array(std::span<const uint64_t>(owners_));
  writer.array(std::span<const uint64_t>(signatures));
  writer.array(std::span<const uint64_t>(term_ends));
  writer.array(std::span<const uint64_t>(posting_ends));
  writer.array(std::span<const uint32_t>(lengths_));
  writer.array(std::span<const uint32_t>(text_counts));
  for (const Entry& entry : entries) writer.raw(std::as_bytes(std::span(*entry.name)));
  writer.align();
  for (const Entry& entry : entries) writer.raw(std::as_bytes(std::span(entry.term->postings)));
  writer.align();
  writer.number(checksum64(std::as_bytes(std::span(writer.bytes()))));
  return std::move(writer).bytes();
}

}  // namespace zeroshelf
