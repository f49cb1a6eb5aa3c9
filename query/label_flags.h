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
  std::string classifier;   // learned by `train`; in place of labels
  std::string calibration;  // fitted by `calibrate`; of the rule mix

  bool by_prompts() const { return classifier.empty(); }
};

// What may name the labels.
enum class LabelsFrom { Prompts, PromptsOrClassifier };

// --labels, --labels-file or --classifier, of which one must be given unless the group is told
// otherwise; and --template.
CLI::Option_group* add_label_flags(CLI::App* command, LabelOptions& options,
                                   LabelsFrom from = LabelsFrom::PromptsOrClassifier);

// --calibration.
CLI::Option* add_calibration_flag(CLI::App* command, LabelOptions& options);

// --fusion and --calibration, after add_label_flags.
void add_fusion_flag(CLI::App* command, LabelOptions& options);

// Throws what parse_label_list and read_label_file throw.
std::vector<Label> read_labels(const LabelOptions& options);

}  // namespace zeroshelf
