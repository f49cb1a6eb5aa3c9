// Tested by tests/train/vocabulary_test.cc.

#include "models/train/vocabulary.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "lib/files/new_file.h"
#include "models/text/tokenizer.h"

namespace zeroshelf::train {
namespace {

using Symbols = std::vector<std::string>;
using Pair = std::pair<std::string, std::string>;

std::map<Symbols, size_t> count_words(const std::vector<std::string>& texts) {
  std::map<Symbols, size_t> counts;
  for (const std::string& text : texts) {
    for (Symbols& word : spelled_words(text)) ++counts[std::move(word)];
  }
  return counts;
}

void count_pairs(const Symbols& word, size_t count, std::map<Pair, size_t>& pairs) {
  for (size_t i = 0; i + 1 < word.size(); ++i) pairs[{word[i], word[i + 1]}] += count;
}

void discount_pairs(const Symbols& word, size_t count, std::map<Pair, size_t>& pairs) {
  for (size_t i = 0; i + 1 < word.size(); ++i) {
    const auto found = pairs.find({word[i], word[i + 1]});
    if ((found->second -= count) == 0) pairs.erase(found);
  }
}

bool contains(const Symbols& word, const Pair& pair) {
  for (size_t i = 0; i + 1 < word.size(); ++i) {
    if (word[i] == pair.first && word[i + 1] == pair.second) return true;
  }
  return false;
}

Symbols merged(const Symbols& word, const Pair& pair) {
  Symbols result;
  for (size_t i = 0; i < word.size(); ++i) {
    if (i + 1 < word.size() && word[i] == pair.first && word[i + 1] == pair.second) {
      result.push_back(word[i] + word[i + 1]);
      ++i;
    } else {
      result.push_back(word[i]);
    }
  }
  return result;
}

}  // namespace

std::vector<std::string> train_merges(const std::vector<std::string>& texts, size_t size) {
  assert(size >= vocabulary_size({}));
  std::vector<std::pair<Symbols, size_t>> words;
  for (auto& [word, count] : count_words(texts)) words.emplace_back(word, count);
  std::map<Pair, size_t> pairs;
  for (const auto& [word, count] : words) count_pairs(word, count, pairs);

  std::vector<std::string> merges;
  while (vocabulary_size(merges) < size && !pairs.empty()) {
    const auto best =
        std::max_element(pairs.begin(), pairs.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    if (best->second < 2) break;
    const Pair pair = best->first;
    merges.push_back(pair.first + " " + pair.second);
    for (auto& [word, count] : words) {
      if (!contains(word, pair)) continue;
      discount_pairs(word, count, pairs);
      word = merged(word, pair);
      count_pairs(word, count, pairs);
    }
  }
  return merges;
}

size_t vocabulary_size(const std::vector<std::string>& merges) {
  return byte_symbols().size() + merges.size() + 2;
}

void write_vocabulary(const std::vector<std::string>& merges, const std::filesystem::path& folder) {
  nlohmann::ordered_json vocabulary;
  size_t next = 0;
  for (const std::string& symbol : byte_symbols()) vocabulary[symbol] = next++;
  std::string lines = "#version: 0.2\n";
  for (const std::string& merge : merges) {
    lines += merge + "\n";
    std::string joined = merge;
    std::erase(joined, ' ');
    vocabulary[joined] = next++;
  }
  vocabulary["<|startoftext|>"] = next++;
  vocabulary["<|endoftext|>"] = next++;
  write_file_atomically(folder / "vocab.json", vocabulary.dump(0) + "\n");
  write_file_atomically(folder / "merges.txt", lines);
}

}  // namespace zeroshelf::train
