#pragma once

// Where the running program is installed, so that its data is found without environment variables
// and wherever the tree was put.

#include <filesystem>

namespace zeroshelf {

// PREFIX of a program PREFIX/bin/NAME; empty where the system does not tell. Threads: any.
std::filesystem::path installation_prefix();

}  // namespace zeroshelf
