#pragma once

// Flags that several subcommands have.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "lib/labelling/truth.h"
#include "lib/report/output_format.h"

namespace zeroshelf {

// COLLECTION.
void add_collection(CLI::App* command, std::filesystem::path& collection);

// --truth.
void add_truth_flag(CLI::App* command, std::filesystem::path& truth);

// What --truth names, saying on stderr how many of its pictures have no label.
Truth read_and_tell_truth(const std::filesystem::path& truth);

// --format, one of these.
CLI::Option* add_format(CLI::App* command, OutputFormat& format,
                        const std::vector<OutputFormat>& formats);

// -0, --null: sets format to NulPaths; not together with --format.
void add_null_flag(CLI::App* command, OutputFormat& format, CLI::Option* format_option,
                   const std::string& help = "Only the paths, each ended by NUL, as for xargs -0");

}  // namespace zeroshelf
