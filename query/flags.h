#pragma once

// Flags that several subcommands have.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace zeroshelf {

// COLLECTION.
void add_collection(CLI::App* command, std::filesystem::path& collection);

// --truth.
void add_truth_flag(CLI::App* command, std::filesystem::path& truth);

// --format, one of names.
CLI::Option* add_format(CLI::App* command, std::string& format, std::vector<std::string> names);

}  // namespace zeroshelf
