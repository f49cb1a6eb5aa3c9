// Tested through the program by tests/programs.

#include "query/label_flags.h"

#include <fmt/format.h>

#include <utility>

#include "lib/fusion/fusion.h"
#include "lib/labels/templates.h"
#include "lib/program/values.h"
#include "lib/util/error.h"

namespace zeroshelf {
namespace {

// "max: whichever is surer; image: the picture alone; ..."
std::string fusion_help() {
  std::string help;
  for (const FusionRule* rule : fusion_rules()) {
    if (!help.empty()) help += "; ";
    help.append(rule->name()).append(": ").append(rule->help());
  }
  return help;
}

}  // namespace

CLI::Option_group* add_label_flags(CLI::App* command, LabelOptions& options, LabelsFrom from) {
  CLI::Option_group* group = command->add_option_group("Labels", "Exactly one of");
  group->add_option("--labels", options.list, "The classes, e.g. \"cat, dog\"")->type_name("LIST");
  group
      ->add_option("--labels-file", options.file,
                   "One label per line, 'label: prompt | prompt | - what it is not'; or JSON")
      ->type_name("FILE");
  if (from == LabelsFrom::PromptsOrClassifier) {
    group
        ->add_option("--classifier", options.classifier,
                     "A classifier kept by train --save; brings its labels")
        ->type_name("NAME");
  }
  group->require_option(1);
  CLI::Option* templates =
      command
          ->add_option(
              "--template", options.templates,
              "Prompts for labels without their own: a text with {} for the label; a set of "
              "them: " +
                  fmt::format("{}", fmt::join(template_set_names(), ", ")) +
                  "; or a file with one per line; may be repeated")
          ->type_name("TEXT|NAME|FILE")
          ->allow_extra_args(false)
          ->capture_default_str();
  CLI::Option* vectors =
      command
          ->add_option(
              "--label-vectors", options.vectors,
              "Vectors instead of prompts: one row per label, then per veto, in their order; needs "
              "no model")
          ->type_name("FILE.npy")
          ->excludes(templates);
  if (from == LabelsFrom::PromptsOrClassifier) vectors->excludes("--classifier");
  command->add_flag(
      "--flat", options.flat,
      "Take '/' in labels as a letter like any other; default: animal/cat has two levels");
  return group;
}

CLI::Option* add_calibration_flag(CLI::App* command, LabelOptions& options) {
  return command
      ->add_option("--calibration", options.calibration,
                   "Settings kept by calibrate --save, for the rule mix")
      ->type_name("NAME")
      ->excludes("--classifier");
}

void add_fusion_flag(CLI::App* command, LabelOptions& options) {
  std::vector<std::string> rules;
  for (const FusionRule* rule : fusion_rules()) rules.emplace_back(rule->name());
  command->add_option("--fusion", options.fusion, "How picture and text decide: " + fusion_help())
      ->type_name("RULE")
      ->check(one_of(std::move(rules)))
      ->capture_default_str()
      ->excludes("--classifier")
      ->excludes(add_calibration_flag(command, options));
}

void add_none_flags(CLI::App* command, LabelOptions& options) {
  command->add_flag("--none", options.none,
                    "Add a class 'none', for pictures that fit none of your labels");
  command
      ->add_option("--none-prompt", options.none_prompts,
                   "A prompt for 'none', instead of the default ones; may be repeated")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  command
      ->add_option("--threshold", options.threshold,
                   "Leave pictures below this score unlabelled (with --none: 'none')")
      ->check(CLI::Range(-1.0, 1.0));
  command
      ->add_option(
          "--depth", options.depth,
          "Answer at most this many levels deep, where labels have levels (animal/bird/petrel)")
      ->type_name("LEVELS")
      ->check(CLI::Range(1, 16))
      ->excludes("--flat");
}

std::vector<std::string> templates_of(const LabelOptions& options) {
  std::vector<std::string> templates;
  for (const std::string& one : options.templates) {
    for (std::string& read : read_templates(one)) templates.push_back(std::move(read));
  }
  return templates;
}

std::vector<Label> read_labels(const LabelOptions& options) {
  const std::vector<std::string> templates = templates_of(options);
  std::vector<Label> labels = options.file.empty() ? parse_label_list(options.list, templates, options.slash())
                           : read_label_file(options.file, templates, options.slash());
  if (!options.none && options.none_prompts.empty()) return labels;
  if (!options.vectors.empty())
    throw Error(ErrorCode::InvalidArgument, "--none", "--label-vectors has no prompts",
                fmt::format("give a label '{}' a row of its own, or use --threshold", kNoneLabel));
  for (const Label& label : labels) {
    if (label.name == kNoneLabel)
      throw Error(ErrorCode::InvalidArgument, "--none",
                  fmt::format("one of the labels is called '{}' itself", kNoneLabel),
                  "give that label another name, or leave --none out");
  }
  labels.push_back(
      {kNoneLabel, options.none_prompts.empty() ? default_none_prompts() : options.none_prompts});
  return labels;
}

std::string way_name(const LabelOptions& options) {
  LabellingRequest request;
  request.classifier = options.classifier;
  request.calibration = options.calibration;
  request.fusion = options.fusion;
  return way_name(request);
}

LabellingRequest labelling_request(const LabelOptions& options) {
  fusion_rule(options.fusion);
  LabellingRequest request;
  request.fusion = options.fusion;
  request.calibration = options.calibration;
  request.classifier = options.classifier;
  request.threshold = options.threshold;
  request.slash = options.slash();
  request.depth = options.depth;
  const bool with_none = options.none || !options.none_prompts.empty();
  if (!options.by_prompts()) {
    if (with_none)
      throw Error(ErrorCode::InvalidArgument, "--none", "a learned classifier has no prompts",
                  "leave it out, or use --threshold");
    return request;
  }
  request.labels = read_labels(options);
  request.last_is_none = with_none;
  request.none_has_own_prompts = !options.none_prompts.empty();
  request.vectors = options.vectors;
  return request;
}

}  // namespace zeroshelf
