#pragma once

// What the command line of zeroshelf-query says, before it is checked against the world.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/flags/model_flags.h"

namespace zeroshelf {

struct LabelOptions {
  std::string list;
  std::filesystem::path file;
  std::vector<std::string> templates = {"{}"};
  std::string fusion = "max";
};

struct SearchOptions {
  std::filesystem::path collection;
  std::string text;
  std::filesystem::path image;
  uint64_t count = 10;
  std::string space = "picture";
  std::string format = "table";
  ModelOptions model;
};

struct ClassifyOptions {
  std::filesystem::path collection;
  LabelOptions labels;
  std::string format = "table";
  ModelOptions model;
};

struct ExportOptions {
  std::filesystem::path collection;
  LabelOptions labels;
  std::filesystem::path target;  // the folder, or the page
  std::string format = "folders";
  std::optional<std::string> mode;        // only for folders; symlink
  std::optional<uint64_t> max_per_label;  // only for a page; PageOptions has the default
  ModelOptions model;
};

struct EvaluateOptions {
  std::filesystem::path collection;
  LabelOptions labels;  // the fusion is not used: every rule is measured
  std::filesystem::path truth;
  std::string format = "table";
  ModelOptions model;
};

struct EmbedInput {
  enum class Kind { Text, TextFile, Image };
  Kind kind = Kind::Text;
  std::string value;
};

struct EmbedOptions {
  std::vector<EmbedInput> inputs;  // in the order of the command line
  bool tokens = false;
  std::filesystem::path npy;  // empty: vectors go into the lines
  ModelOptions model;
};

}  // namespace zeroshelf
