// Tested through the program by tests/programs.

#include "query/flags.h"

#include <utility>

namespace zeroshelf {

void add_collection(CLI::App* command, std::filesystem::path& collection) {
  command->add_option("COLLECTION", collection, "The collection's folder")->required();
}

CLI::Option* add_format(CLI::App* command, std::string& format, std::vector<std::string> names) {
  return command->add_option("--format", format, "Of the output")
      ->check(CLI::IsMember(std::move(names)))
      ->capture_default_str();
}

}  // namespace zeroshelf
