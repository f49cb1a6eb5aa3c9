// Tested by tests/text/piece_tokenizer_test.cc and tests/clip/golden_models_test.cc.

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "models/checkpoint/strict_json.h"
#include "models/text/piece_tokenizer.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxFileBytes = 64 << 20;

fs::path find_vocabulary(const fs::path& folder, const fs::path& named) {
  if (!named.empty()) {
    if (fs::exists(named)) return named;
    throw Error(ErrorCode::NotFound, named.string(), "no such file",
                "name the vocabulary with --vocab FILE");
  }
  for (const char* name :
       {"tokenizer.json", "spiece.model", "tokenizer.model", "sentencepiece.bpe.model"}) {
    if (fs::exists(folder / name)) return folder / name;
  }
  throw Error(
      ErrorCode::NotFound, folder.string(), "no vocabulary",
      "put tokenizer.json, spiece.model, tokenizer.model or sentencepiece.bpe.model there, or "
      "name it with --vocab FILE");
}

// "</s>", or an object with it.
std::string mark_text(const nlohmann::json& config, const char* key) {
  if (!config.contains(key)) return {};
  const nlohmann::json& value = config[key];
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("content") && value["content"].is_string())
    return value["content"].get<std::string>();
  return {};
}

int32_t id_of(const PieceModel& model, const std::string& text, const std::string& subject) {
  const auto found = std::find_if(model.pieces.begin(), model.pieces.end(),
                                  [&](const Piece& piece) { return piece.text == text; });
  if (text.empty() || found == model.pieces.end()) {
    throw Error(ErrorCode::Corruption, subject,
                fmt::format("damaged: the mark '{}' is no piece", text.substr(0, 40)),
                "fetch tokenizer_config.json and the vocabulary of one model");
  }
  return static_cast<int32_t>(found - model.pieces.begin());
}

// Marks that a text may hold as words. SentencePiece's own files do not say which.
void mark_literals(const nlohmann::json& config, PieceModel& model) {
  if (!config.contains("added_tokens_decoder") || !config["added_tokens_decoder"].is_object())
    return;
  for (const auto& [id, token] : config["added_tokens_decoder"].items()) {
    const std::string text = token.is_object() ? mark_text(token, "content") : "";
    for (Piece& piece : model.pieces) {
      if (piece.text == text && piece.kind == Piece::Kind::Never) piece.is_literal = true;
    }
  }
}

// The order in which XLM-R counts the pieces of its SentencePiece file, with a mark more at the end
// and every mark a word of a text too.
void arrange_as_roberta(PieceModel& model, const std::string& subject) {
  constexpr const char* kFirst[] = {"<unk>", "<s>", "</s>"};
  for (size_t i = 0; i < std::size(kFirst); ++i) {
    if (i >= model.pieces.size() || model.pieces[i].text != kFirst[i]) {
      throw Error(ErrorCode::Incompatible, subject, "its first pieces are not those of XLM-R",
                  "take the vocabulary that belongs to the model");
    }
  }
  std::vector<Piece> pieces;
  const auto mark = [&](const char* text) {
    Piece piece{text, 0, Piece::Kind::Never};
    piece.is_literal = true;
    pieces.push_back(std::move(piece));
  };
  for (const char* text : {"<s>", "<pad>", "</s>", "<unk>"}) mark(text);
  std::move(model.pieces.begin() + std::size(kFirst), model.pieces.end(),
            std::back_inserter(pieces));
  mark("<mask>");
  model.pieces = std::move(pieces);
  model.unknown_id = 3;
  model.adds_space_to_parts = model.adds_space;
}

// Without a file that says it, what T5's vocabularies have.
PieceMarks read_marks(const nlohmann::json& config, const PieceModel& model,
                      const fs::path& vocabulary) {
  std::string end = mark_text(config, "eos_token");
  if (end.empty()) end = "</s>";
  std::string pad = mark_text(config, "pad_token");
  if (pad.empty()) pad = end;
  return {std::nullopt, id_of(model, end, vocabulary.string()),
          id_of(model, pad, vocabulary.string())};
}

// What tokenizer_config.json may say that would make other tokens of a text is said by its name.
void check_settings(const nlohmann::json& config, const PieceOptions& options,
                    const std::string& subject) {
  const auto refuse = [&](const std::string& key) {
    throw Error(ErrorCode::Incompatible, subject,
                fmt::format("'{}' is {}, which makes other tokens of texts than are made here", key,
                            config[key].dump().substr(0, 60)),
                "take the tokenizer_config.json that was published with the model");
  };
  const auto expect = [&](const char* key, const nlohmann::json& value) {
    if (config.contains(key) && config[key] != value) refuse(key);
  };
  if (!options.cleaning) expect("do_lower_case", true);  // else whoever asks cleans before
  expect("add_bos_token", options.is_roberta);
  expect("add_eos_token", true);
  expect("padding_side", "right");
  expect("truncation_side", "right");
  expect("sp_model_kwargs", nlohmann::json::object());
  constexpr const char* kClasses[] = {"SiglipTokenizer",     "Siglip2Tokenizer",
                                      "GemmaTokenizer",      "T5Tokenizer",
                                      "XLMRobertaTokenizer", "PreTrainedTokenizer"};
  constexpr const char* kClass = "tokenizer_class";
  const bool has_known_class = !config.contains(kClass) || config[kClass].is_null() ||
                               std::ranges::any_of(kClasses, [&](const std::string& name) {
                                 return config[kClass] == name || config[kClass] == name + "Fast";
                               });
  if (!has_known_class) refuse(kClass);
  constexpr const char* kLength = "model_max_length";
  if (config.contains(kLength) && !config[kLength].is_null() &&
      !(config[kLength].is_number() &&
        config[kLength].get<double>() >= static_cast<double>(options.filled_up_to)))
    refuse(kLength);
}

}  // namespace

std::unique_ptr<TextTokenizer> load_piece_tokenizer(const fs::path& folder, const fs::path& file,
                                                    const PieceOptions& options) {
  const fs::path vocabulary = find_vocabulary(folder, file);
  const bool is_json = vocabulary.extension() == ".json";
  PieceModel model = is_json ? read_pieces_json(vocabulary) : read_sentencepiece(vocabulary);
  if (options.is_roberta && !is_json) arrange_as_roberta(model, vocabulary.string());
  nlohmann::json config = nlohmann::json::object();
  const fs::path path = vocabulary.parent_path() / "tokenizer_config.json";
  if (fs::exists(path)) config = parse_strict_json(read_file(path, kMaxFileBytes), path.string());
  check_settings(config, options, path.string());
  if (!is_json) mark_literals(config, model);
  PieceMarks marks = read_marks(config, model, vocabulary);
  if (options.is_roberta) marks.start = id_of(model, "<s>", vocabulary.string());
  const Cleaning own =
      model.kind == PieceModel::Kind::Unigram ? Cleaning::NoPunctuation : Cleaning::LowerCase;
  return std::make_unique<PieceTokenizer>(std::move(model), marks, options.cleaning.value_or(own),
                                          vocabulary.string());
}

}  // namespace zeroshelf
