// Tested through the program by tests/programs.

#include "query/label_flags.h"

#include "lib/fusion/fusion.h"

namespace zeroshelf {
namespace {

// "max: the surer of both; image: the picture alone; ..."
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
                   "One label a line, 'label: prompt | prompt'; or JSON")
      ->type_name("FILE");
  if (from == LabelsFrom::PromptsOrClassifier) {
    group
        ->add_option("--classifier", options.classifier,
                     "What train --save kept; brings its labels")
        ->type_name("NAME");
  }
  group->require_option(1);
  command
      ->add_option("--template", options.templates,
                   "Prompt for labels without their own, {} is the label; may be repeated")
      ->type_name("TEXT")
      ->allow_extra_args(false)
      ->capture_default_str();
  return group;
}

CLI::Option* add_calibration_flag(CLI::App* command, LabelOptions& options) {
  return command
      ->add_option("--calibration", options.calibration,
                   "What calibrate --save kept: decide by mix with these settings")
      ->type_name("NAME")
      ->excludes("--classifier");
}

void add_fusion_flag(CLI::App* command, LabelOptions& options) {
  command->add_option("--fusion", options.fusion, "How picture and text decide: " + fusion_help())
      ->type_name("RULE")
      ->capture_default_str()
      ->excludes("--classifier")
      ->excludes(add_calibration_flag(command, options));
}

std::vector<Label> read_labels(const LabelOptions& options) {
  return options.file.empty() ? parse_label_list(options.list, options.templates)
                              : read_label_file(options.file, options.templates);
}

}  // namespace zeroshelf
