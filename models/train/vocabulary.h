#pragma once

// A byte-level BPE vocabulary from texts (Sennrich et al. 2016), in the form that CLIP's tokenizer
// reads.

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace zeroshelf::train {

// The merges, most frequent pair first, for a vocabulary of at most size entries with the 512 byte
// symbols and the two marks. Pairs that occur once are not merged. Equal counts go by the alphabet.
// size: at least 514.
std::vector<std::string> train_merges(const std::vector<std::string>& texts, size_t size);

// The number of entries of a vocabulary with these merges.
size_t vocabulary_size(const std::vector<std::string>& merges);

// Writes vocab.json and merges.txt.
void write_vocabulary(const std::vector<std::string>& merges, const std::filesystem::path& folder);

}  // namespace zeroshelf::train
