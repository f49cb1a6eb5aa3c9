// Tested through the program by tests/programs.

#include "query/flags.h"

#include <string>
#include <utility>

#include "lib/program/message.h"
#include "lib/program/values.h"
#include "lib/util/text.h"

namespace zeroshelf {

void add_collection(CLI::App* command, std::filesystem::path& collection) {
  command->add_option("COLLECTION", collection, "The collection's folder")->required();
}

void add_truth_flag(CLI::App* command, std::filesystem::path& truth) {
  command
      ->add_option("--truth", truth,
                   "CSV of known labels, with the columns path and label; -: standard input")
      ->type_name("FILE.csv")
      ->required();
}

Truth read_and_tell_truth(const std::filesystem::path& truth) {
  TruthFile file = read_truth_file(truth);
  if (file.unlabelled > 0) {
    say("{} pictures of the truth have no label and are left out\n",
        with_thousands(file.unlabelled));
  }
  return std::move(file.truth);
}

CLI::Option* add_format(CLI::App* command, OutputFormat& format,
                        const std::vector<OutputFormat>& formats) {
  std::vector<Choice<OutputFormat>> choices;
  for (const OutputFormat one : formats)
    choices.push_back({std::string(output_format_name(one)), one});
  return add_choice(command, "--format", format, choices, "Output format");
}

void add_null_flag(CLI::App* command, OutputFormat& format, CLI::Option* format_option,
                   const std::string& help) {
  command
      ->add_flag_callback(
          "-0,--null", [&format] { format = OutputFormat::NulPaths; }, help)
      ->excludes(format_option);
}

}  // namespace zeroshelf
