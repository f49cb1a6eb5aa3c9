#pragma once

// Inside models/text: the vocabulary of a SentencePiece tokenizer (Kudo and Richardson 2018), from
// its own files (spiece.model, tokenizer.model: protocol buffers) or from Hugging Face's
// tokenizer.json.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace zeroshelf {

struct Piece {
  enum class Kind { Normal, Byte, Whole, Never };
  std::string text;  // UTF-8, with U+2581 for a space
  float score = 0;   // Unigram: its logarithm; Bpe: the higher, the earlier it is merged
  // Normal: may be made of a text's letters. Byte: stands for one byte. Whole: is cut out of a
  // normalised text before anything else. Never: is in no text.
  Kind kind = Kind::Normal;
  bool is_literal = false;  // is cut out of a text before that is normalised
};

struct PieceModel {
  enum class Kind { Unigram, Bpe };
  Kind kind = Kind::Unigram;
  std::vector<Piece> pieces;  // by their ids
  int32_t unknown_id = 0;
  bool has_bytes = false;  // what is in no piece becomes its bytes
  // What a text becomes before it is cut: the trie and texts of SentencePiece's "precompiled
  // character map"; empty: itself.
  std::string character_map;
  bool adds_space = true;            // before the text
  bool adds_space_to_parts = false;  // behind each mark in the text too
  bool folds_spaces = true;          // to one, and none at the end
};

// Throws NotFound, Io, or Corruption; Incompatible naming what is not known. Every length is checked
// before it is used; at most four million pieces.
PieceModel read_sentencepiece(const std::filesystem::path& path);
PieceModel read_pieces_json(const std::filesystem::path& path);

}  // namespace zeroshelf
