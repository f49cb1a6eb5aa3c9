#pragma once

// SentencePiece vocabularies written by the test, as protocol buffers and as tokenizer.json.

#include <bit>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace zeroshelf::testing {

struct MadePiece {
  std::string text;
  float score = 0;
  int kind = 1;  // 1 normal, 2 unknown, 3 control, 4 user-defined, 6 byte
};

enum class PieceKind { Unigram = 1, Bpe = 2 };

inline std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
inline std::string number_field(int field, uint64_t value) {
  return varint(static_cast<uint64_t>(field) << 3) + varint(value);
}
inline std::string bytes_field(int field, std::string_view bytes) {
  return varint(static_cast<uint64_t>(field) << 3 | 2) + varint(bytes.size()) + std::string(bytes);
}
inline std::string float_field(int field, float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  std::string bytes = varint(static_cast<uint64_t>(field) << 3 | 5);
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(bits >> shift);
  return bytes;
}

inline std::string sentencepiece_file(PieceKind kind, const std::vector<MadePiece>& pieces,
                                      bool has_bytes = false) {
  std::string file;
  uint64_t unknown = 0;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const MadePiece& piece = pieces[i];
    if (piece.kind == 2) unknown = i;
    file += bytes_field(1, bytes_field(1, piece.text) + float_field(2, piece.score) +
                               number_field(3, static_cast<uint64_t>(piece.kind)));
  }
  file += bytes_field(2, number_field(3, static_cast<uint64_t>(kind)) +
                             number_field(35, has_bytes ? 1 : 0) + number_field(40, unknown));
  return file + bytes_field(3, number_field(3, 1) + number_field(4, 1) + number_field(5, 1));
}

inline std::vector<MadePiece> unigram_pieces() {
  return {{"<pad>", 0, 3},         {"</s>", 0, 3},      {"<unk>", 0, 2},  {"\u2581", -3},
          {"\u2581the", -1},       {"\u2581t", -4},     {"he", -3},       {"h", -5},
          {"e", -5},               {"\u2581cat", -2},   {"\u2581ca", -3}, {"t", -4},
          {"\u2581caf\u00e9", -6}, {"s", -4.5f}};
}

// Every byte, and words of two merges.
inline std::vector<MadePiece> bpe_pieces() {
  std::vector<MadePiece> pieces = {{"<pad>", 0, 3}, {"</s>", 0, 3}, {"<s>", 0, 3}, {"<unk>", 0, 2}};
  for (int byte = 0; byte < 256; ++byte) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    pieces.push_back({std::string("<0x") + kDigits[byte / 16] + kDigits[byte % 16] + ">", 0, 6});
  }
  for (const char* text : {"ca", "\u2581cat", "cat", "\u2581", "c", "a", "t"})
    pieces.push_back({text, -static_cast<float>(pieces.size())});
  return pieces;
}

inline nlohmann::json unigram_json() {
  nlohmann::json vocabulary = nlohmann::json::array();
  for (const MadePiece& piece : unigram_pieces()) vocabulary.push_back({piece.text, piece.score});
  return {{"added_tokens", {{{"id", 1}, {"content", "</s>"}}, {{"id", 2}, {"content", "<unk>"}}}},
          {"normalizer",
           {{"type", "Sequence"},
            {"normalizers",
             {{{"type", "Strip"}, {"strip_left", false}, {"strip_right", true}},
              {{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", "\u2581"}}}}}},
          {"pre_tokenizer",
           {{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", "first"}}},
          {"model",
           {{"type", "Unigram"}, {"unk_id", 2}, {"vocab", vocabulary}, {"byte_fallback", false}}}};
}

inline nlohmann::json bpe_json() {
  nlohmann::json vocabulary;
  int next = 0;
  for (const MadePiece& piece : bpe_pieces()) vocabulary[piece.text] = next++;
  return {{"added_tokens", {{{"id", 1}, {"content", "</s>"}}, {{"id", 3}, {"content", "<unk>"}}}},
          {"normalizer",
           {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\u2581"}}},
          {"pre_tokenizer", nullptr},
          {"model",
           {{"type", "BPE"},
            {"unk_token", "<unk>"},
            {"byte_fallback", true},
            {"vocab", vocabulary},
            {"merges", {"c a", {"\u2581", "cat"}, "ca t"}}}}};
}

}  // namespace zeroshelf::testing
