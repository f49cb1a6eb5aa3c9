#pragma once

// What words mean, from WordNet's nouns (Debian package wordnet-base): explanations, other words
// for the same, and kinds of it. It teaches the text encoder more words than pictures do.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "lib/util/random.h"
#include "models/train/generator.h"

namespace zeroshelf::train {

class Glossary {
 public:
  // Keeps the entries for names and synonyms of things, and for the words of the worlds' training
  // phrases; of a word with several meanings the most frequent one. The generator must outlive it.
  // Throws NotFound or Corruption.
  Glossary(const std::filesystem::path& wordnet_folder, const Generator& generator);

  size_t size() const { return entries_.size(); }

  // A word, and its explanation, another word for it, or a kind of it; or of a world's words one of
  // these and the world.
  TextPair pair(Random& random) const;
  // Every text that pair() can give, for the vocabulary.
  std::vector<std::string> texts() const;

 private:
  struct Entry {
    std::string word;
    std::vector<std::string> others;   // explanation first
    std::vector<const World*> worlds;  // those whose word it is; the generator keeps them
  };
  std::vector<Entry> entries_;
};

}  // namespace zeroshelf::train
