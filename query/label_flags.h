#pragma once

// The flags by which a subcommand takes its labels, and the labels that follow from them.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lib/labelling/labelling.h"
#include "lib/labels/labels.h"

namespace zeroshelf {

struct LabelOptions {
  std::string list;
  std::filesystem::path file;
  std::filesystem::path vectors;                   // one row a label, in place of prompts
  std::vector<std::string> templates = {"plain"};  // as read_templates takes them
  std::string fusion = std::string(kDefaultRule);
  std::string classifier;   // learned by `train`; in place of labels
  std::string calibration;  // fitted by `calibrate`; of the rule mix

  bool by_prompts() const { return classifier.empty(); }
  bool none = false;                      // one more class, kNoneLabel
  std::vector<std::string> none_prompts;  // empty: the default ones
  std::optional<float> threshold;         // an answer with a lower score is none
  bool flat = false;                      // '/' in names parts no levels
  std::optional<uint32_t> depth;          // of answers among labels that have levels

  Slash slash() const { return flat ? Slash::Letter : Slash::Level; }
};

// What may name the labels.
enum class LabelsFrom { Prompts, PromptsOrClassifier };

// --labels, --labels-file or --classifier, of which one must be given unless the group is told
// otherwise; --template, --label-vectors and --flat.
CLI::Option_group* add_label_flags(CLI::App* command, LabelOptions& options,
                                   LabelsFrom from = LabelsFrom::PromptsOrClassifier);

// --calibration.
CLI::Option* add_calibration_flag(CLI::App* command, LabelOptions& options);

// --fusion and --calibration, after add_label_flags.
void add_fusion_flag(CLI::App* command, LabelOptions& options);

// --none, --none-prompt, --threshold and --depth.
void add_none_flags(CLI::App* command, LabelOptions& options);

// What --template means: every template of every set, text or file.
std::vector<std::string> templates_of(const LabelOptions& options);

// What they ask for, checked before anything is opened. Throws InvalidArgument for flags that do
// not go together and what read_labels throws.
LabellingRequest labelling_request(const LabelOptions& options);

// How the answers came about, see lib/labelling/labelling.h.
std::string way_name(const LabelOptions& options);

// With --none that class comes last. Throws what parse_label_list, read_label_file and
// read_templates throw, and InvalidArgument when another label has its name.
std::vector<Label> read_labels(const LabelOptions& options);

}  // namespace zeroshelf
