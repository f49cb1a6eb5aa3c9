// The files of a model, and the texts that its tokenizer meets.

#include <cmath>
#include <cstring>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "models/checkpoint/config.h"
#include "models/checkpoint/safetensors.h"
#include "models/checkpoint/torch_archive.h"
#include "models/checkpoint/torchscript_config.h"
#include "models/text/tokenizer.h"
#include "tests/fuzz/file_targets.h"
#include "tests/support/piece_files.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/torch_files.h"

namespace zeroshelf::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

void put(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// --- safetensors --------------------------------------------------------------------------------

std::string safetensors_seed() {
  const json header = {
      {"__metadata__", {{"format", "pt"}}},
      {"a.weight", {{"dtype", "F32"}, {"shape", {2, 3}}, {"data_offsets", {0, 24}}}},
      {"b", {{"dtype", "F16"}, {"shape", {4}}, {"data_offsets", {24, 32}}}},
      {"scale", {{"dtype", "BF16"}, {"shape", json::array()}, {"data_offsets", {32, 34}}}}};
  const std::string text = header.dump();
  const uint64_t size = text.size();
  return std::string(reinterpret_cast<const char*>(&size), sizeof size) + text +
         std::string(34, '\x3c');
}

// The length before the header, for as long as a header can be told.
void seal_safetensors(std::string& bytes) {
  const size_t end = bytes.find("}}");
  if (end == std::string::npos || end + 2 < 8) return;
  const uint64_t size = end + 2 - 8;
  std::memcpy(bytes.data(), &size, sizeof size);
}

uint64_t element_bytes(TensorType type) {
  return type == TensorType::F32 ? 4 : type == TensorType::Other ? 1 : 2;
}

void check_tensor(const TensorView& tensor) {
  int64_t elements = 1;
  for (const int64_t side : tensor.shape) {
    promise(side >= 0, "no side is negative");
    promise(!__builtin_mul_overflow(elements, side, &elements), "the sides multiply to a number");
  }
  if (tensor.type != TensorType::Other) {
    promise(tensor.bytes.size() == static_cast<uint64_t>(elements) * element_bytes(tensor.type),
            "as many bytes as the shape says");
  }
  uint64_t sum = 0;
  for (const std::byte byte : tensor.bytes) sum += static_cast<uint64_t>(byte);
  promise(sum < UINT64_MAX, "");
}

// --- archives of libtorch -----------------------------------------------------------------------

const std::vector<SavedTensor> kSaved = {{"visual.proj", {2, 3}, {1, 2, 3, 4, 5, 6}},
                                         {"visual.turned", {2, 2}, {1, 2, 3, 4}, {1, 2}},
                                         {"scale", {}, {9}}};

// The first byte: 'p' the pickle alone, in an archive that is sound; else the whole archive.
std::string read_torch_archive(const fs::path& path, const std::string& input) {
  const bool is_pickle = !input.empty() && input[0] == 'p';
  const std::string bytes = input.substr(std::min<size_t>(1, input.size()));
  put(path, is_pickle ? stored_zip(archive_files(bytes, kSaved)) : bytes);
  return outcome_of([&] {
    const TorchArchive archive(path);
    for (const auto& [name, tensor] : archive.tensors()) check_tensor(tensor);
  });
}

// --- configuration ------------------------------------------------------------------------------

json tower(int width) {
  return {{"hidden_size", width},    {"num_hidden_layers", 2},     {"num_attention_heads", 2},
          {"intermediate_size", 64}, {"hidden_act", "quick_gelu"}, {"layer_norm_eps", 1e-5}};
}

std::string hugging_face_seed() {
  json config = {{"model_type", "clip"},
                 {"projection_dim", 16},
                 {"vision_config", tower(32)},
                 {"text_config", tower(16)}};
  config["vision_config"]["image_size"] = 32;
  config["vision_config"]["patch_size"] = 8;
  config["text_config"]["max_position_embeddings"] = 16;
  config["text_config"]["vocab_size"] = 515;
  return config.dump();
}

std::string preprocessor_seed() {
  return json({{"size", {{"shortest_edge", 32}}},
               {"crop_size", {{"height", 32}, {"width", 32}}},
               {"do_resize", true},
               {"resample", 3},
               {"image_mean", {0.5, 0.5, 0.5}},
               {"image_std", {0.25, 0.25, 0.25}}})
      .dump();
}

std::string open_clip_seed() {
  return json({{"model_cfg",
                {{"embed_dim", 16},
                 {"quick_gelu", true},
                 {"vision_cfg",
                  {{"image_size", 32},
                   {"layers", 2},
                   {"width", 64},
                   {"patch_size", 8},
                   {"mlp_ratio", 4.0}}},
                 {"text_cfg",
                  {{"context_length", 16},
                   {"vocab_size", 515},
                   {"width", 16},
                   {"heads", 2},
                   {"layers", 2}}}}},
               {"preprocess_cfg", {{"mean", {0.5, 0.5, 0.5}}, {"std", {0.5, 0.5, 0.5}}}}})
      .dump();
}

void check_geometry(const ClipConfig& config) {
  check_config(config, "what was accepted");
  promise(std::isfinite(config.image.epsilon) && config.image.epsilon > 0,
          "an epsilon above 0");
  for (size_t i = 0; i < 3; ++i) {
    promise(std::isfinite(config.preprocessing.mean[i]), "a mean is a number");
    promise(std::isfinite(config.preprocessing.standard_deviation[i]) &&
                std::isfinite(1 / config.preprocessing.standard_deviation[i]),
            "a standard deviation can be divided by");
  }
  promise(!describe(config).empty(), "a model can be described");
}

std::string torchscript_seed() {
  return json({{"size", 32},
               {"resize", "squash"},
               {"filter", "bilinear"},
               {"mean", {0.5, 0.5, 0.5}},
               {"deviation", {0.25, 0.25, 0.25}},
               {"tokenizer", {{"kind", "clip"}, {"context", 16}, {"pad", 0}, {"clean", "lower"}}},
               {"scoring", {{"kind", "sigmoid"}, {"scale", 100.5}, {"bias", -9}}}})
      .dump();
}

std::string read_torchscript(const fs::path& folder, const std::string& text) {
  put(folder / "zeroshelf.json", text);
  for (const char* program : {"picture.pt", "text.pt"}) put(folder / program, "");
  return outcome_of([&] {
    const TorchScriptConfig config = read_torchscript_config(folder);
    check_preprocessing(config.preprocessing, "what was accepted");
    promise(config.preprocessing.size_px >= 1 && config.preprocessing.size_px <= 4096,
            "a picture that can be held");
    promise(config.context_length <= 4096, "a text that can be held");
    promise(std::isfinite(config.logit_scale) && std::isfinite(config.logit_bias),
            "scores that are numbers");
  });
}

// The first byte says which of the four files is the input.
std::string read_config(const fs::path& folder, const std::string& input) {
  const char kind = input.empty() ? 'h' : input[0];
  const std::string text = input.substr(std::min<size_t>(1, input.size()));
  if (kind == 't') return read_torchscript(folder, text);
  put(folder / "config.json", kind == 'h' ? text : hugging_face_seed());
  put(folder / "preprocessor_config.json", kind == 'p' ? text : preprocessor_seed());
  put(folder / "open_clip_config.json", text);
  return outcome_of([&] {
    check_geometry(kind == 'o' ? read_open_clip_config(folder) : read_hugging_face_config(folder));
  });
}

// --- tokenizer ----------------------------------------------------------------------------------

json vocabulary() {
  json result;
  int next = 0;
  for (const std::string& symbol : byte_symbols()) result[symbol] = next++;
  for (const char* symbol : {"at</w>", "th", "the</w>", "<|startoftext|>", "<|endoftext|>"}) {
    result[symbol] = next++;
  }
  return result;
}

constexpr const char* kText =
    "That cat, the 3 &amp; \"dogs\" \u00e9\u4e2d\U0001f600 isn't <|endoftext|>";

void check_tokens(const Tokenizer& tokenizer, std::string_view text) {
  promise(tokenizer.size() > 0 && tokenizer.start_id().value() < tokenizer.size() &&
              tokenizer.end_id() < tokenizer.size(),
          "the marks are tokens");
  for (const int32_t id : tokenizer.encode(text)) {
    promise(id >= 0 && id < tokenizer.size(), "a token is of the vocabulary");
  }
}

// The first byte: 'j' tokenizer.json, else a SentencePiece file; 'r' with XLM-R's marks.
std::string read_pieces(const fs::path& folder, const std::string& input) {
  const char kind = input.empty() ? 'j' : input[0];
  const fs::path path = folder / (kind == 'j' ? "tokenizer.json" : "tokenizer.model");
  put(path, input.substr(std::min<size_t>(1, input.size())));
  return outcome_of([&] {
    const auto tokenizer = load_piece_tokenizer(
        folder, path, {.cleaning = Cleaning::Nothing, .is_roberta = kind == 'r'});
    promise(tokenizer->size() > 0 && tokenizer->start_id().value_or(0) < tokenizer->size() &&
                tokenizer->end_id() < tokenizer->size() &&
                tokenizer->pad_id().value_or(0) < tokenizer->size(),
            "the marks are pieces");
    for (const int32_t id : tokenizer->encode(kText)) {
      promise(id >= 0 && id < tokenizer->size(), "a token is of the vocabulary");
    }
  });
}

// The first byte: 'j' tokenizer.json, 'v' vocab.json, 'm' merges.txt, 'g' merges alone.
std::string read_tokenizer(const fs::path& folder, const std::string& input) {
  const char kind = input.empty() ? 'j' : input[0];
  const std::string text = input.substr(std::min<size_t>(1, input.size()));
  const char* name = kind == 'v' || kind == 'm' ? "vocab.json"
                     : kind == 'g'              ? "bpe.txt.gz"
                                                : "tokenizer.json";
  put(folder / name, text);
  if (kind == 'v') put(folder / "merges.txt", "#version: 0.2\nt h\na t</w>\n");
  if (kind == 'm') put(folder / "vocab.json", vocabulary().dump());
  if (kind == 'm') put(folder / "merges.txt", text);
  return outcome_of([&] { check_tokens(Tokenizer::load(folder, folder / name), kText); });
}

}  // namespace

Target safetensors_target() {
  const auto folder = std::make_shared<TemporaryDirectory>();
  const auto read = [folder](const std::string& input) {
    const fs::path path = *folder / "model.safetensors";
    put(path, input);
    return outcome_of([&] {
      const Safetensors file(path);
      for (const auto& [name, tensor] : file.tensors()) check_tensor(tensor);
    });
  };
  return {"",
          {safetensors_seed()},
          {"\"shape\":", "\"dtype\":", "\"data_offsets\":", "\"F32\"", "\"I64\"", "[0,0]",
           "[0,9223372036854775807,9223372036854775807]", "9223372036854775807", "[", "{\"a\":"},
          seal_safetensors,
          read};
}

Target torch_archive_target() {
  const auto folder = std::make_shared<TemporaryDirectory>();
  return {"",
          {"p" + state_dict_pickle(kSaved), "p" + module_pickle(kSaved),
           "a" + state_dict_archive(kSaved),
           "a" + module_archive(kSaved, {{"archive/code/__torch__/made.py", "class Module:"},
                                         {"archive/byteorder", "little"}}),
           "a" + stored_zip(archive_files(state_dict_pickle(kSaved), kSaved), true)},
          {"PK\x03\x04", "PK\x01\x02", "PK\x05\x06", std::string("\x01\x00\x10\x00", 4), "(t", "tQ",
           "tR", ")R", ")\x81}", "ub", "X\x01", "h\x01", "q\x01", "ctorch\nLongStorage\n",
           "c__torch__.a\nB\n", "ctorch._utils\n_rebuild_parameter\n",
           std::string("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", 10)},
          nullptr,
          [folder](const std::string& input) {
            return read_torch_archive(*folder / "model.pt", input);
          }};
}

Target config_target() {
  const auto folder = std::make_shared<TemporaryDirectory>();
  return {"",
          {"h" + hugging_face_seed(), "p" + preprocessor_seed(), "o" + open_clip_seed(),
           "t" + torchscript_seed()},
          {"\"vision_config\":", "\"image_size\":", "\"mlp_ratio\":1e300,", "\"head_width\":",
           "\"vision_config_dict\":", "\"layer_norm_eps\":", "\"image_std\":[1e-300,1,1],",
           "\"image_mean\":[1e300,0,0],", "\"kind\":\"program\"", "9223372036854775808", "[",
           "{\"a\":"},
          nullptr,
          [folder](const std::string& input) { return read_config(folder->path(), input); }};
}

Target tokenizer_target() {
  const auto folder = std::make_shared<TemporaryDirectory>();
  const json merges = {"t h", "a t</w>", "th e</w>"};
  const json file = {{"model", {{"vocab", vocabulary()}, {"merges", merges}}},
                     {"added_tokens", {{{"content", "<|endoftext|>"}, {"id", 516}}}}};
  return {"",
          {"j" + file.dump(), "v" + vocabulary().dump(), "m#version: 0.2\nt h\na t</w>\nth e</w>\n",
           "gversion\nt h\na t</w>\nth e</w>\n"},
          {"\"merges\":", "\"added_tokens\":", "\"id\":", "\"content\":", "</w>", "a a\n",
           "2147483647", "[", "{\"a\":"},
          nullptr,
          [folder](const std::string& input) { return read_tokenizer(folder->path(), input); }};
}

Target pieces_target() {
  const auto folder = std::make_shared<TemporaryDirectory>();
  std::vector<MadePiece> roberta = unigram_pieces();
  roberta[0] = {"<unk>", 0, 2};
  roberta[1] = {"<s>", 0, 3};
  return {"",
          {"j" + unigram_json().dump(), "j" + bpe_json().dump(),
           "s" + sentencepiece_file(PieceKind::Unigram, unigram_pieces()),
           "s" + sentencepiece_file(PieceKind::Bpe, bpe_pieces(), true) +
               bytes_field(3, bytes_field(2, std::string("\x08\0\0\0\0\0\0\0\0\0\0\0", 12))),
           "r" + sentencepiece_file(PieceKind::Unigram, roberta)},
          {"\"precompiled_charsmap\":", "\"merges\":", "\"added_tokens\":", "\"id\":",
           "\"content\":", "2147483647", "-1e300", "<0x00>", "\u2581", "</s>",
           std::string("\x08\xff\xff\xff\xff\x0f", 6), std::string("\x12\x04\xff\xff\xff\x7f", 6)},
          nullptr,
          [folder](const std::string& input) { return read_pieces(folder->path(), input); }};
}

Tokenizer tokenizer_for_queries() {
  const TemporaryDirectory folder;
  put(folder / "vocab.json", vocabulary().dump());
  put(folder / "merges.txt", "#version: 0.2\nt h\na t</w>\nth e</w>\n");
  return Tokenizer::load(folder.path(), {});
}

}  // namespace zeroshelf::testing
