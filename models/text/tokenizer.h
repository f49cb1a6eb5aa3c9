#pragma once

// CLIP's byte-level BPE tokenizer (Radford et al. 2021; Sennrich et al. 2016), with the ids of
// OpenAI's implementation.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "models/text/text_tokenizer.h"

namespace zeroshelf {

// The words of a text as merging begins with them: cleaned, split, and each byte as its letter of
// the vocabulary, the last with "</w>" behind it. The two marks are left out.
std::vector<std::vector<std::string>> spelled_words(std::string_view text);

// The symbols of single bytes in the order of their ids, 0 to 511; merges follow, then the marks.
std::vector<std::string> byte_symbols();

// Threads: const calls may run together.
class Tokenizer : public TextTokenizer {
 public:
  // The vocabulary in `file`, or where that is empty the one found in `folder`: vocab.json with
  // merges.txt, tokenizer.json, or bpe_simple_vocab_16e6.txt.gz. A file may be given as
  // bpe_simple_vocab_16e6.txt(.gz), tokenizer.json, or vocab.json with merges.txt beside it.
  // Throws NotFound with what to put where, or Corruption.
  static Tokenizer load(const std::filesystem::path& folder, const std::filesystem::path& file,
                        const TokenizerOptions& options = {});

  // Cleaned (see text_cleaning.h), split and merged: ids without start and end mark, not cut.
  std::vector<int32_t> encode(std::string_view text) const override;

  std::optional<int32_t> start_id() const override { return start_id_; }
  int32_t end_id() const override { return end_id_; }
  int32_t size() const override { return size_; }
  const std::string& checksum() const override { return checksum_; }

 private:
  struct Merge {
    uint32_t rank = 0;
    int32_t result = 0;
  };
  using Vocabulary = std::unordered_map<std::string, int32_t>;

  Tokenizer(const Vocabulary& vocabulary, const std::vector<std::string>& merges,
            const std::string& subject);
  static Tokenizer from_merges_alone(const std::filesystem::path& path);
  static Tokenizer from_vocabulary(const std::filesystem::path& vocabulary,
                                   const std::filesystem::path& merges);
  static Tokenizer from_tokenizer_json(const std::filesystem::path& path);

  static Tokenizer read(const std::filesystem::path& folder, const std::filesystem::path& file);

  void append_word(std::string_view word, std::vector<int32_t>& ids) const;

  // The ids of the 256 bytes, inside a word and at its end.
  int32_t byte_ids_[2][256] = {};
  std::unordered_map<uint64_t, Merge> merges_;  // by both ids
  int32_t start_id_ = 0;
  int32_t end_id_ = 0;
  int32_t size_ = 0;
  std::string checksum_;
  TokenizerOptions options_;
};

}  // namespace zeroshelf
