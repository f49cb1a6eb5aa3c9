#pragma once

// Which models a name finds on this machine (see load.h), and what downloads others.

#include <filesystem>
#include <string>
#include <vector>

namespace zeroshelf {

// Everything that a name finds, in the order of the folders; the bundled model, which lies in
// PREFIX/share/zeroshelf/models of a program that is installed as PREFIX/bin/NAME, is the last.
// Threads: any.
struct InstalledModel {
  std::string name;
  std::filesystem::path path;
};
std::vector<InstalledModel> installed_models();

// What downloads published models: "zeroshelf-fetch", or its path in a source tree.
std::string fetch_command();

}  // namespace zeroshelf
