// The files' format is described in wndb(5WN). Tested by tests/train/generator_test.cc.

#include "models/train/glossary.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <string_view>

#include "lib/util/error.h"
#include "lib/util/file.h"

namespace zeroshelf::train {
namespace {

constexpr uint64_t kMaxFileBytes = 64 << 20;
constexpr size_t kMostOthers = 12;
constexpr const char* kLetters = "abcdefghijklmnopqrstuvwxyz";
constexpr size_t kShortestWord = 4;
constexpr size_t kMostWorlds = 2;

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

using WordsAndWorlds = std::map<std::string, std::vector<const World*>>;

// The words of the worlds and of their training phrases that belong to one world or two: others do
// not tell.
WordsAndWorlds telling_words(const std::vector<World>& worlds) {
  WordsAndWorlds words;
  for (const World& world : worlds) {
    std::set<std::string> own(world.words.begin(), world.words.end());
    for (const Phrases* phrases : {&world.who, &world.does, &world.where, &world.lines}) {
      for (const std::string& phrase : phrases->training) {
        for (size_t start = 0; start < phrase.size();) {
          const size_t end = std::min(phrase.find_first_not_of(kLetters, start), phrase.size());
          if (end - start >= kShortestWord) own.insert(phrase.substr(start, end - start));
          start = end + 1;
        }
      }
    }
    for (const std::string& word : own) words[word].push_back(&world);
  }
  std::erase_if(words, [](const auto& entry) { return entry.second.size() > kMostWorlds; });
  return words;
}

// The line of a noun, also of its regular plural.
template <class Lines>
auto find_noun(const Lines& index, std::string word) {
  std::replace(word.begin(), word.end(), ' ', '_');
  auto found = index.find(word);
  for (const std::string_view ending : {"s", "es"}) {
    if (found == index.end() && word.ends_with(ending)) {
      found = index.find(word.substr(0, word.size() - ending.size()));
    }
  }
  return found;
}

}  // namespace

Glossary::Glossary(const std::filesystem::path& wordnet_folder, const Generator& generator) {
  const auto index = lines_by_key(wordnet_folder / "index.noun");
  const auto data = lines_by_key(wordnet_folder / "data.noun");
  WordsAndWorlds words = telling_words(generator.worlds());
  for (const Thing& thing : generator.things()) {
    words.try_emplace(thing.name);
    for (const std::string& synonym : thing.synonyms) words.try_emplace(synonym);
  }
  for (const auto& [word, worlds] : words) {
    const auto indexed = find_noun(index, word);
    if (indexed == index.end()) continue;
    const auto found = data.find(first_offset(indexed->second));
    if (found == data.end()) continue;
    const Synset synset = parse_synset(found->second);
    Entry entry{word, {synset.explanation}, worlds};
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
  if (!entry.worlds.empty() && random.chance(0.5)) {
    const World& world = *random.pick(entry.worlds);
    pair.other = world.label;
    pair.key = key_of_world(world);
    if (random.chance(0.5)) pair.one = entry.word;
  } else {
    pair.other = entry.word;
    pair.key = key_of_word(entry.word);
  }
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
