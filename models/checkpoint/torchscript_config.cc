// Tested by tests/clip/torchscript_config_test.cc.

#include "models/checkpoint/torchscript_config.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "models/checkpoint/config_section.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxBytes = 1 << 20;
constexpr const char* kCure = "correct it: docs/models.md says what zeroshelf.json holds";

ConfigSection read_root(const fs::path& file) {
  std::optional<nlohmann::json> json = parse_bounded_json(read_file(file, kMaxBytes));
  if (!json || !json->is_object())
    throw Error(ErrorCode::Corruption, file.string(), "not a JSON object", kCure);
  return {*std::move(json), file.string(), "", kCure};
}

// What nothing could be guessed for.
void expect_said(const ConfigSection& section, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    if (!section.has(key)) section.refuse(fmt::format("\"{}\" is missing", section.path_of(key)));
  }
}

int64_t bounded(const ConfigSection& section, const char* key, int64_t least, int64_t most) {
  const int64_t number = section.integer(key, 0);
  if (number < least || number > most) {
    section.refuse(
        fmt::format("\"{}\" is {}, not {} to {}", section.path_of(key), number, least, most));
  }
  return number;
}

float bounded(const ConfigSection& section, const char* key, double least, double most) {
  const double number = section.number(key, 0);
  if (!(number >= least && number <= most)) {
    section.refuse(
        fmt::format("\"{}\" is {}, not {} to {}", section.path_of(key), number, least, most));
  }
  return static_cast<float>(number);
}

Preprocessing read_preprocessing(const ConfigSection& root) {
  expect_said(root, {"size", "resize", "mean", "deviation"});
  constexpr int64_t kMaxSide = 4'096;
  Preprocessing preprocessing;
  preprocessing.size_px = static_cast<int>(bounded(root, "size", 1, kMaxSide));
  preprocessing.resize = read_resize(root, "resize");
  preprocessing.filter = read_filter(root, "filter");
  root.read_triple("mean", preprocessing.mean);
  root.read_triple("deviation", preprocessing.standard_deviation);
  check_preprocessing(preprocessing, root.subject());
  return preprocessing;
}

TextCleaning read_cleaning(const ConfigSection& tokenizer, TextCleaning otherwise) {
  if (!tokenizer.has("clean")) return otherwise;
  const std::string name = tokenizer.text("clean", "");
  if (name == "lower") return TextCleaning::Lower;
  if (name == "canonicalize") return TextCleaning::Canonical;
  if (name == "whitespace") return TextCleaning::Whitespace;
  if (name != "none") tokenizer.refuse_value("clean");
  return TextCleaning::Nothing;
}

void read_tokenizer(const ConfigSection& tokenizer, TorchScriptConfig& config) {
  expect_said(tokenizer, {"kind"});
  const std::string kind = tokenizer.text("kind", "");
  if (kind == "program") {
    config.tokenizer = TorchScriptTokenizer::Program;
    tokenizer.expect_no_more();
    return;
  }
  TextCleaning cleaning = TextCleaning::Own;
  if (kind == "open_clip") {
    config.has_open_clip_marks = true;
  } else if (kind == "sentencepiece") {
    config.vocabulary = Vocabulary::Pieces;
  } else if (kind == "xlm-roberta") {
    config.vocabulary = Vocabulary::RobertaPieces;
    cleaning = TextCleaning::Nothing;
  } else if (kind != "clip") {
    tokenizer.refuse_value("kind");
  }
  config.cleaning = read_cleaning(tokenizer, cleaning);
  expect_said(tokenizer, {"context"});
  constexpr int64_t kLeastContext = 3;  // two marks, and a token between them
  config.context_length = bounded(tokenizer, "context", kLeastContext, int64_t{4'096});
  if (tokenizer.has("pad")) config.pad_id = bounded(tokenizer, "pad", 0, int64_t{4'000'000});
  tokenizer.expect_no_more();
}

void read_scoring(const ConfigSection& scoring, TorchScriptConfig& config) {
  expect_said(scoring, {"kind", "scale"});
  const std::string kind = scoring.text("kind", "");
  if (kind != "softmax" && kind != "sigmoid") scoring.refuse_value("kind");
  config.is_sigmoid = kind == "sigmoid";
  config.logit_scale = bounded(scoring, "scale", 0.01, 10'000.0);
  if (config.is_sigmoid) {
    expect_said(scoring, {"bias"});
    config.logit_bias = bounded(scoring, "bias", -1'000.0, 1'000.0);
  }
  scoring.expect_no_more();
}

void expect_file(const fs::path& file) {
  std::error_code ignored;
  if (fs::is_regular_file(file, ignored)) return;
  throw Error(ErrorCode::NotFound, file.string(), "no such file",
              "a model of this kind is zeroshelf.json, picture.pt and text.pt: docs/models.md");
}

}  // namespace

std::optional<fs::path> torchscript_folder(const fs::path& path) {
  std::error_code ignored;
  const fs::path folder =
      path.filename() == torchscript_config_file("").filename() ? path.parent_path() : path;
  if (!fs::exists(torchscript_config_file(folder), ignored)) return std::nullopt;
  return folder;
}

fs::path picture_program(const fs::path& folder) {
  return folder / "picture.pt";
}

fs::path text_program(const fs::path& folder) {
  return folder / "text.pt";
}

fs::path torchscript_config_file(const fs::path& folder) {
  return folder / "zeroshelf.json";
}

TorchScriptConfig read_torchscript_config(const fs::path& folder) {
  for (const fs::path& file :
       {torchscript_config_file(folder), picture_program(folder), text_program(folder)}) {
    expect_file(file);
  }
  const ConfigSection root = read_root(torchscript_config_file(folder));
  TorchScriptConfig config;
  config.preprocessing = read_preprocessing(root);
  expect_said(root, {"tokenizer", "scoring"});
  read_tokenizer(root.section("tokenizer"), config);
  read_scoring(root.section("scoring"), config);
  root.expect_no_more();
  return config;
}

}  // namespace zeroshelf
