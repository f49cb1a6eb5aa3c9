#pragma once

// What an encoder asks of a tokenizer, whatever its kind.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/text/text_cleaning.h"

namespace zeroshelf {

struct TokenizerOptions {
  Cleaning cleaning = Cleaning::Clip;
  // CLIP's two marks as words of a text: OpenAI's <|startoftext|> and <|endoftext|>, or OpenCLIP's
  // <start_of_text> and <end_of_text>.
  bool has_open_clip_marks = false;
};

struct PieceOptions {
  std::optional<Cleaning> cleaning = {};  // nothing: as transformers does for SigLIP's vocabularies
  bool is_roberta = false;           // XLM-R's start mark, and its order of SentencePiece's pieces
  int64_t filled_up_to = 0;          // tokens; 0: texts are as long as they are
};

// Threads: const calls may run together.
class TextTokenizer {
 public:
  virtual ~TextTokenizer() = default;

  // Cleaned and cut into tokens: ids without start and end mark, not cut short.
  virtual std::vector<int32_t> encode(std::string_view text) const = 0;

  virtual std::optional<int32_t> start_id() const = 0;  // nothing: texts have no start mark
  virtual int32_t end_id() const = 0;
  // With what the model's texts are filled up; nothing: the model says it itself.
  virtual std::optional<int32_t> pad_id() const { return std::nullopt; }
  // One more than the largest id.
  virtual int32_t size() const = 0;
  // A checksum of everything that the vocabulary says, for the fingerprint.
  virtual const std::string& checksum() const = 0;
};

// The tokenizer of SentencePiece pieces whose vocabulary is `file`, or where that is empty the one
// found in `folder`: tokenizer.json, spiece.model, tokenizer.model or sentencepiece.bpe.model. Its
// marks are what tokenizer_config.json beside it says. Throws NotFound with what to put where,
// Corruption, or Incompatible, also where that file says what would make other tokens of a text.
std::unique_ptr<TextTokenizer> load_piece_tokenizer(const std::filesystem::path& folder,
                                                    const std::filesystem::path& file,
                                                    const PieceOptions& options);

}  // namespace zeroshelf
