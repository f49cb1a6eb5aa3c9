#pragma once

// The flags by which a subcommand takes its labels, and the labels that follow from them.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "lib/labels/labels.h"

namespace zeroshelf {

struct LabelOptions {
  std::string list;
  std::filesystem::path file;
  std::vector<std::string> templates = {"{}"};
  std::string fusion = "max";
};

// --labels or --labels-file, and --template.
void add_label_flags(CLI::App* command, LabelOptions& options);

// --fusion.
void add_fusion_flag(CLI::App* command, LabelOptions& options);

// Throws what parse_label_list and read_label_file throw.
std::vector<Label> read_labels(const LabelOptions& options);

}  // namespace zeroshelf
