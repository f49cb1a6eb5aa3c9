// The files' format is described in wndb(5WN). Tested by tests/train/generator_test.cc.

#include "models/train/glossary.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"

namespace zeroshelf::train {
namespace {

constexpr uint64_t kMaxFileBytes = 64 << 20;
constexpr size_t kMostOthers = 12;

// A line of data.noun.
struct Synset {
  std::vector<std::string> words;
  std::vector<std::string> kinds;  // offsets of the synsets that are kinds of this one
  std::string explanation;
};

std::string spaced(std::string word) {
  std::replace(word.begin(), word.end(), '_', ' ');
  return word;
}

Synset parse_synset(const std::string& line) {
  Synset synset;
  std::istringstream fields(line);
  std::string skipped;
  std::string word_count;
  fields >> skipped >> skipped >> skipped >> word_count;
  for (long i = std::strtol(word_count.c_str(), nullptr, 16); i > 0 && fields; --i) {
    std::string word;
    fields >> word >> skipped;
    synset.words.push_back(spaced(word));
  }
  long pointers = 0;
  fields >> pointers;
  for (; pointers > 0 && fields; --pointers) {
    std::string symbol;
    std::string offset;
    fields >> symbol >> offset >> skipped >> skipped;
    if (symbol == "~") synset.kinds.push_back(offset);
  }
  const size_t bar = line.find("| ");
  if (bar != std::string::npos) {
    const size_t start = bar + 2;
    synset.explanation = line.substr(start, line.find_first_of(";\"", start) - start);
  }
  return synset;
}

// The lines of a file by their first field; the licence at its head begins with blanks.
std::map<std::string, std::string> lines_by_key(const std::filesystem::path& path) {
  std::map<std::string, std::string> lines;
  std::istringstream text(read_file(path, kMaxFileBytes));
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with(' ')) lines.emplace(line.substr(0, line.find(' ')), line);
  }
  return lines;
}

// A line of index.noun: the synsets' offsets end it, the most frequent meaning first.
std::string first_offset(const std::string& line) {
  std::istringstream fields(line);
  std::string skipped;
  size_t synsets = 0;
  fields >> skipped >> skipped >> synsets;
  std::vector<std::string> all;
  for (std::string field; fields >> field;) all.push_back(field);
  return synsets > 0 && synsets <= all.size() ? all[all.size() - synsets] : std::string();
}

}  // namespace

Glossary::Glossary(const std::filesystem::path& wordnet_folder, const std::vector<Thing>& things) {
  const auto index = lines_by_key(wordnet_folder / "index.noun");
  const auto data = lines_by_key(wordnet_folder / "data.noun");
  std::set<std::string> words;
  for (const Thing& thing : things) {
    words.insert(thing.name);
    words.insert(thing.synonyms.begin(), thing.synonyms.end());
  }
  for (const std::string& word : words) {
    std::string key = word;
    std::replace(key.begin(), key.end(), ' ', '_');
    const auto indexed = index.find(key);
    if (indexed == index.end()) continue;
    const auto found = data.find(first_offset(indexed->second));
    if (found == data.end()) continue;
    const Synset synset = parse_synset(found->second);
    Entry entry{word, {synset.explanation}};
    for (const std::string& other : synset.words) {
      if (other != word) entry.others.push_back(other);
    }
    for (const std::string& offset : synset.kinds) {
      const auto kind = data.find(offset);
      if (kind == data.end() || entry.others.size() >= kMostOthers) continue;
      entry.others.push_back(parse_synset(kind->second).words.front());
    }
    entries_.push_back(std::move(entry));
  }
  if (entries_.empty()) {
    throw Error(ErrorCode::Corruption, wordnet_folder.string(), "explains no word that is needed",
                "install the Debian package wordnet-base");
  }
}

TextPair Glossary::pair(Random& random) const {
  const Entry& entry = random.pick(entries_);
  TextPair pair;
  pair.one = random.chance(0.5) ? entry.others.front() : random.pick(entry.others);
  pair.other = entry.word;
  pair.key = checksum64(std::as_bytes(std::span(entry.word.data(), entry.word.size())));
  return pair;
}

std::vector<std::string> Glossary::texts() const {
  std::vector<std::string> texts;
  for (const Entry& entry : entries_) {
    texts.push_back(entry.word);
    texts.insert(texts.end(), entry.others.begin(), entry.others.end());
  }
  return texts;
}

}  // namespace zeroshelf::train
