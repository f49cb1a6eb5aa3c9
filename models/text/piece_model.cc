// Tested by tests/text/piece_tokenizer_test.cc and, with mutated files, by tests/fuzz.

#include "models/text/piece_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "lib/util/bytes.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/json_object.h"
#include "models/checkpoint/strict_json.h"

namespace zeroshelf {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr uint64_t kMaxFileBytes = 256 << 20;
constexpr size_t kMaxPieces = 4'000'000;

[[noreturn]] void fail(const std::string& subject, const std::string& cause) {
  throw Error(ErrorCode::Corruption, subject, "damaged: " + cause, "fetch the file again");
}
[[noreturn]] void refuse(const std::string& subject, const std::string& cause) {
  throw Error(ErrorCode::Incompatible, subject, cause,
              "take another checkpoint: docs/models.md says which are read");
}

bool is_byte_piece(std::string_view text) {
  return text.size() == 6 && text.starts_with("<0x") && text.back() == '>';
}

// --- protocol buffers ---------------------------------------------------------------------------

// The fields of a message, one after the other.
class Message {
 public:
  Message(std::string_view bytes, const std::string& subject) : left_(bytes), subject_(subject) {}

  struct Field {
    uint64_t number = 0;
    uint64_t value = 0;      // of a number; the bits of a float
    std::string_view bytes;  // of a text or a message
  };

  std::optional<Field> next() {
    if (left_.empty()) return std::nullopt;
    const uint64_t key = varint();
    Field field{key >> 3, 0, {}};
    switch (key & 7) {
      case 0:
        field.value = varint();
        break;
      case 1:
        std::memcpy(&field.value, take(8).data(), 8);
        break;
      case 2:
        field.bytes = take(varint());
        break;
      case 5:
        std::memcpy(&field.value, take(4).data(), 4);
        break;
      default:
        fail(subject_, "it is no SentencePiece model");
    }
    return field;
  }

 private:
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<uint8_t>(take(1)[0]);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    fail(subject_, "a number is too long");
  }
  std::string_view take(uint64_t size) {
    if (size > left_.size()) fail(subject_, "it ends too early");
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }

  std::string_view left_;
  const std::string& subject_;
};

Piece read_piece(std::string_view bytes, const std::string& subject) {
  constexpr uint64_t kUserDefined = 4, kByte = 6, kNormal = 1;
  Piece piece;
  uint64_t kind = kNormal;
  Message message(bytes, subject);
  while (const auto field = message.next()) {
    if (field->number == 1) piece.text = field->bytes;
    if (field->number == 2) piece.score = std::bit_cast<float>(static_cast<uint32_t>(field->value));
    if (field->number == 3) kind = field->value;
  }
  piece.kind = kind == kNormal        ? Piece::Kind::Normal
               : kind == kUserDefined ? Piece::Kind::Whole
               : kind == kByte        ? Piece::Kind::Byte
                                      : Piece::Kind::Never;
  if (!std::isfinite(piece.score)) fail(subject, "a score is no number");
  return piece;
}

void read_trainer(std::string_view bytes, const std::string& subject, PieceModel& model) {
  constexpr uint64_t kUnigram = 1, kBpe = 2;
  Message message(bytes, subject);
  while (const auto field = message.next()) {
    if (field->number == 3) {
      if (field->value != kUnigram && field->value != kBpe)
        refuse(subject, "its pieces are neither of unigrams nor of byte pairs");
      model.kind = field->value == kBpe ? PieceModel::Kind::Bpe : PieceModel::Kind::Unigram;
    }
    if (field->number == 24 && field->value != 0)
      refuse(subject, "it puts spaces behind words instead of before them");
    if (field->number == 35) model.has_bytes = field->value != 0;
    if (field->number == 40) model.unknown_id = static_cast<int32_t>(std::min<uint64_t>(field->value, INT32_MAX));
  }
}

void read_normaliser(std::string_view bytes, const std::string& subject, PieceModel& model) {
  Message message(bytes, subject);
  while (const auto field = message.next()) {
    if (field->number == 2) model.character_map = field->bytes;
    if (field->number == 3) model.adds_space = field->value != 0;
    if (field->number == 4) model.folds_spaces = field->value != 0;
    if (field->number == 5 && field->value == 0) refuse(subject, "it leaves spaces as they are");
  }
}

void check(const PieceModel& model, const std::string& subject) {
  if (model.pieces.empty() || model.pieces.size() > kMaxPieces)
    fail(subject, fmt::format("it has {} pieces", model.pieces.size()));
  if (model.unknown_id < 0 || static_cast<size_t>(model.unknown_id) >= model.pieces.size())
    fail(subject, "no piece stands for what is unknown");
}

// --- tokenizer.json -----------------------------------------------------------------------------

std::string text_of(const json& value, const char* key) {
  return value.is_object() && value.contains(key) && value[key].is_string()
             ? value[key].get<std::string>()
             : std::string();
}

// Standard base64; nothing when it is none.
std::optional<std::string> from_base64(std::string_view text) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<int8_t, 256> values;
  values.fill(-1);
  for (size_t i = 0; i < kLetters.size(); ++i)
    values[static_cast<uint8_t>(kLetters[i])] = static_cast<int8_t>(i);
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char letter : text) {
    const int8_t value = values[static_cast<uint8_t>(letter)];
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count);
  }
  return bytes;
}

// The forms that conversions of SentencePiece models have, and no other.
class JsonReader {
 public:
  explicit JsonReader(const fs::path& path)
      : subject_(path.string()), root_(parse_strict_json(read_file(path, kMaxFileBytes), subject_)) {}

  PieceModel read() {
    const json& model = member(root_, "model");
    const std::string type = text_of(model, "type");
    if (type == "Unigram") {
      read_unigram(model);
    } else if (type == "BPE") {
      read_bpe(model);
    } else {
      refuse(subject_, fmt::format("its model is of the type \"{}\"", type.substr(0, 40)));
    }
    model_.has_bytes = model.contains("byte_fallback") && model["byte_fallback"] == json(true);
    read_added_tokens();
    read_normaliser();
    read_pre_tokenizer();
    check(model_, subject_);
    return std::move(model_);
  }

 private:
  const json& member(const json& object, const char* key) const {
    if (!object.is_object() || !object.contains(key)) fail(subject_, fmt::format("no \"{}\"", key));
    return object[key];
  }

  void read_unigram(const json& model) {
    const json& vocabulary = member(model, "vocab");
    if (!vocabulary.is_array() || vocabulary.size() > kMaxPieces) fail(subject_, "no usable vocab");
    for (const json& entry : vocabulary) {
      if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string())
        fail(subject_, "a piece is not text and score");
      const auto score = json_as<float>(entry[1]);
      if (!score) fail(subject_, "a score is no number");
      Piece piece{entry[0].get<std::string>(), *score, Piece::Kind::Normal};
      if (is_byte_piece(piece.text)) piece.kind = Piece::Kind::Byte;
      model_.pieces.push_back(std::move(piece));
    }
    const auto unknown = json_as<int32_t>(member(model, "unk_id"));
    if (!unknown) fail(subject_, "no usable \"unk_id\"");
    model_.unknown_id = *unknown;
  }

  void read_bpe(const json& model) {
    model_.kind = PieceModel::Kind::Bpe;
    for (const char* key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"}) {
      if (model.contains(key) && !model[key].is_null() && model[key] != json(""))
        refuse(subject_, fmt::format("its \"{}\" is not known", key));
    }
    const json& vocabulary = member(model, "vocab");
    const json& merges = member(model, "merges");
    if (!vocabulary.is_object() || vocabulary.size() > kMaxPieces || !merges.is_array())
      fail(subject_, "no usable vocab and merges");
    entries_ = vocabulary.size();
    for (const auto& [text, number] : vocabulary.items()) {
      place(number) = {text, -INFINITY, is_byte_piece(text) ? Piece::Kind::Byte : Piece::Kind::Normal};
    }
    // The first of the ways to make a piece counts.
    std::map<std::string, float> ranks;
    for (const json& merge : merges) {
      std::string made;
      if (merge.is_string()) {
        made = merge.get<std::string>();
        const size_t space = made.find(' ');
        if (space == std::string::npos) fail(subject_, "a merge is not two pieces");
        made.erase(space, 1);
      } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
        made = merge[0].get<std::string>() + merge[1].get<std::string>();
      } else {
        fail(subject_, "a merge is not two pieces");
      }
      ranks.emplace(made, -static_cast<float>(ranks.size()));
    }
    for (Piece& piece : model_.pieces) {
      if (const auto rank = ranks.find(piece.text); rank != ranks.end()) piece.score = rank->second;
    }
    const std::string unknown = text_of(model, "unk_token");
    for (size_t id = 0; id < model_.pieces.size(); ++id) {
      if (model_.pieces[id].text == unknown) model_.unknown_id = static_cast<int32_t>(id);
    }
  }

  // Ids may have gaps, but not such that few entries claim much memory.
  Piece& place(const json& number) {
    constexpr size_t kGap = 1024;
    const auto id = static_cast<size_t>(json_as<uint32_t>(number).value_or(UINT32_MAX));
    if (id >= std::min(kMaxPieces, 2 * entries_ + kGap)) fail(subject_, "an id is no usable number");
    if (id >= model_.pieces.size()) model_.pieces.resize(id + 1, {"", 0, Piece::Kind::Never});
    return model_.pieces[id];
  }

  // What is no result of a merge is found in no other way.
  void read_added_tokens() {
    if (!root_.contains("added_tokens")) return;
    if (!root_["added_tokens"].is_array()) fail(subject_, "no usable \"added_tokens\"");
    entries_ = model_.pieces.size() + root_["added_tokens"].size();
    for (const json& token : root_["added_tokens"]) {
      const std::string content = text_of(token, "content");
      if (content.empty() || !token.contains("id"))
        fail(subject_, "an added token is not text and id");
      Piece& piece = place(token["id"]);
      if (piece.text.empty()) piece = {content, 0, Piece::Kind::Never};
      if (piece.text != content) fail(subject_, "an added token is another piece too");
      if (!std::isfinite(piece.score) || model_.kind == PieceModel::Kind::Unigram)
        piece = {content, 0, Piece::Kind::Never};
      piece.is_literal = true;
    }
  }

  void read_normaliser() {
    model_.folds_spaces = false;
    model_.adds_space = false;
    if (!root_.contains("normalizer") || root_["normalizer"].is_null()) return;
    const json& normaliser = root_["normalizer"];
    if (text_of(normaliser, "type") != "Sequence") return read_step(normaliser);
    const json& steps = member(normaliser, "normalizers");
    if (!steps.is_array()) fail(subject_, "no usable \"normalizers\"");
    for (const json& step : steps) read_step(step);
  }

  void read_step(const json& step) {
    const std::string type = text_of(step, "type");
    if (type == "Precompiled") {
      const auto map = from_base64(text_of(step, "precompiled_charsmap"));
      if (!map) fail(subject_, "no usable \"precompiled_charsmap\"");
      model_.character_map = *map;
      return;
    }
    const bool is_strip = type == "Strip" && step.contains("strip_right") &&
                          step["strip_right"] == json(true);
    const bool is_replace = type == "Replace" && text_of(step, "content") == "\u2581";
    const json pattern = step.is_object() && step.contains("pattern") ? step["pattern"] : json();
    if (is_strip || (is_replace && text_of(pattern, "Regex") == " {2,}")) {
      model_.folds_spaces = true;
    } else if (!is_replace || text_of(pattern, "String") != " ") {
      refuse(subject_, fmt::format("a step of its normaliser is of the type \"{}\"", type.substr(0, 40)));
    }
  }

  void read_pre_tokenizer() {
    if (!root_.contains("pre_tokenizer") || root_["pre_tokenizer"].is_null()) return;
    const json& pre_tokenizer = root_["pre_tokenizer"];
    if (text_of(pre_tokenizer, "type") != "Sequence") return read_metaspace(pre_tokenizer);
    // Words by white space, and each with a space before it: XLM-R's.
    const json& steps = member(pre_tokenizer, "pretokenizers");
    if (!steps.is_array() || steps.size() != 2 || text_of(steps[0], "type") != "WhitespaceSplit")
      refuse(subject_, "its pre-tokenizer is a sequence that is not known");
    read_metaspace(steps[1]);
    model_.folds_spaces = true;
  }

  void read_metaspace(const json& step) {
    const std::string type = text_of(step, "type");
    if (type != "Metaspace")
      refuse(subject_, fmt::format("its pre-tokenizer is of the type \"{}\"", type.substr(0, 40)));
    const std::string scheme = text_of(step, "prepend_scheme");
    if (scheme != "" && scheme != "always" && scheme != "first" && scheme != "never")
      refuse(subject_, fmt::format("its pre-tokenizer's \"prepend_scheme\" is \"{}\"",
                                   scheme.substr(0, 40)));
    const bool has_prefix = !step.contains("add_prefix_space") || step["add_prefix_space"] != json(false);
    model_.adds_space = scheme != "never" && (scheme != "" || has_prefix);
    model_.adds_space_to_parts = model_.adds_space && scheme != "first";
  }

  std::string subject_;
  json root_;
  PieceModel model_;
  size_t entries_ = 0;  // that have ids
};

}  // namespace

PieceModel read_sentencepiece(const fs::path& path) {
  const std::string subject = path.string();
  const std::string file = read_file(path, kMaxFileBytes);
  PieceModel model;
  Message message(file, subject);
  while (const auto field = message.next()) {
    if (field->number == 1) {
      if (model.pieces.size() == kMaxPieces) fail(subject, "it has too many pieces");
      model.pieces.push_back(read_piece(field->bytes, subject));
    }
    if (field->number == 2) read_trainer(field->bytes, subject, model);
    if (field->number == 3) read_normaliser(field->bytes, subject, model);
  }
  check(model, subject);
  return model;
}

PieceModel read_pieces_json(const fs::path& path) {
  return JsonReader(path).read();
}

}  // namespace zeroshelf
