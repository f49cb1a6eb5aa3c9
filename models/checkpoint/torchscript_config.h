#pragma once

// A model that is two TorchScript programs, picture.pt and text.pt, and zeroshelf.json, which says
// what goes into them and what comes out. Reading this runs nothing: models/clip/load.h does, and
// only where it is told that the programs are trusted.
//
// docs/models.md shows zeroshelf.json and says what each key means.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lib/image/preprocess.h"
#include "models/checkpoint/config.h"

namespace zeroshelf {

// What cuts texts into what text.pt takes.
enum class TorchScriptTokenizer {
  Vocabulary,  // the vocabulary in the folder: token ids
  Program,     // text.pt itself: raw texts
};

struct TorchScriptConfig {
  Preprocessing preprocessing;

  TorchScriptTokenizer tokenizer = TorchScriptTokenizer::Vocabulary;
  // The vocabulary:
  Vocabulary vocabulary = Vocabulary::Clip;
  TextCleaning cleaning = TextCleaning::Own;
  bool has_open_clip_marks = false;
  int64_t context_length = 0;     // of every text, filled up
  std::optional<int64_t> pad_id;  // with this; nothing: the vocabulary's own, or 0

  bool is_sigmoid = false;
  float logit_scale = 100;  // what cosines are multiplied with
  float logit_bias = 0;     // of a sigmoid
};

// The folder of such a model, where `path` is one or its zeroshelf.json; nothing for others.
std::optional<std::filesystem::path> torchscript_folder(const std::filesystem::path& path);

// What a model consists of: first the programs, then zeroshelf.json.
std::filesystem::path picture_program(const std::filesystem::path& folder);
std::filesystem::path text_program(const std::filesystem::path& folder);
std::filesystem::path torchscript_config_file(const std::filesystem::path& folder);

// Every key is known and in range, or this throws Incompatible or Corruption with file and key;
// NotFound where one of the three files is not there.
TorchScriptConfig read_torchscript_config(const std::filesystem::path& folder);

}  // namespace zeroshelf
