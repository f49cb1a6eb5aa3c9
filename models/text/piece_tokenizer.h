#pragma once

// SentencePiece's tokenizers (Kudo and Richardson 2018): unigrams, and byte pairs with bytes for what
// no piece covers. The ids are those of SentencePiece and of Hugging Face's conversions.

#include <array>
#include <string>
#include <unordered_map>

#include "models/text/piece_model.h"
#include "models/text/text_tokenizer.h"

namespace zeroshelf {

struct PieceMarks {
  std::optional<int32_t> start;
  int32_t end = 0;
  int32_t pad = 0;
};

class PieceTokenizer : public TextTokenizer {
 public:
  // subject: the vocabulary's file, for errors. Throws Corruption when a mark is no piece.
  PieceTokenizer(PieceModel model, const PieceMarks& marks, Cleaning cleaning,
                 const std::string& subject);
  PieceTokenizer(const PieceTokenizer&) = delete;
  PieceTokenizer& operator=(const PieceTokenizer&) = delete;

  std::vector<int32_t> encode(std::string_view text) const override;
  std::optional<int32_t> start_id() const override { return marks_.start; }
  int32_t end_id() const override { return marks_.end; }
  std::optional<int32_t> pad_id() const override { return marks_.pad; }
  int32_t size() const override { return static_cast<int32_t>(model_.pieces.size()); }
  const std::string& checksum() const override { return checksum_; }

 private:
  std::string normalised(std::string_view text, bool adds_space) const;
  std::string_view mapped(std::string_view text, size_t& bytes) const;
  using Sorted = std::vector<std::pair<std::string_view, int32_t>>;

  template <class Append>
  static void split(const Sorted& pieces, std::string_view text, std::vector<int32_t>& ids,
                    Append append);
  void append_part(std::string_view text, bool is_first, std::vector<int32_t>& ids) const;
  void append_letters(const std::string& text, std::vector<int32_t>& ids) const;
  void append_unigrams(const std::string& text, std::vector<int32_t>& ids) const;
  void append_pairs(const std::string& text, std::vector<int32_t>& ids) const;
  void append_unknown(std::string_view letter, bool& was_unknown, std::vector<int32_t>& ids) const;

  PieceModel model_;
  PieceMarks marks_;
  Cleaning cleaning_;
  std::string checksum_;
  std::unordered_map<std::string_view, int32_t> normal_;  // views of the pieces' texts
  Sorted sorted_;  // the same, in the order of bytes
  Sorted whole_;
  Sorted literal_;
  std::array<int32_t, 256> bytes_;  // the id of each byte's piece, or -1
  float unknown_score_ = 0;
};

}  // namespace zeroshelf
