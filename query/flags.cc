// Tested through the program by tests/programs.

#include "query/flags.h"

#include <utility>

#include "lib/program/values.h"

namespace zeroshelf {

void add_collection(CLI::App* command, std::filesystem::path& collection) {
  command->add_option("COLLECTION", collection, "The collection's folder")->required();
}

void add_truth_flag(CLI::App* command, std::filesystem::path& truth) {
  command->add_option("--truth", truth, "CSV of known labels, with the columns path and label")
      ->type_name("FILE.csv")
      ->required();
}

CLI::Option* add_format(CLI::App* command, std::string& format, std::vector<std::string> names) {
  return command->add_option("--format", format, "Of the output")
      ->check(one_of(std::move(names)))
      ->capture_default_str();
}

void add_null_flag(CLI::App* command, std::string& format, CLI::Option* format_option,
                   const std::string& help) {
  command
      ->add_flag_callback(
          "-0,--null", [&format] { format = kNulPaths; }, help)
      ->excludes(format_option);
}

}  // namespace zeroshelf
