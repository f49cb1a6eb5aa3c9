#pragma once

// Flags that several subcommands have.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "lib/report/prediction_writer.h"

namespace zeroshelf {

// COLLECTION.
void add_collection(CLI::App* command, std::filesystem::path& collection);

// --truth.
void add_truth_flag(CLI::App* command, std::filesystem::path& truth);

// --format, one of names.
CLI::Option* add_format(CLI::App* command, std::string& format, std::vector<std::string> names);

// -0, --null: sets format to kNulPaths; not together with --format.
void add_null_flag(CLI::App* command, std::string& format, CLI::Option* format_option,
                   const std::string& help = "Only the paths, each ended by NUL, as for xargs -0");

}  // namespace zeroshelf
