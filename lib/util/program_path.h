#pragma once

// Where the running program is, so that its data is found without environment variables and
// wherever the tree was put.

#include <filesystem>

namespace zeroshelf {

// The program's file; empty where the system does not tell. Threads: any.
std::filesystem::path program_path();
// PREFIX of a program PREFIX/bin/NAME; empty as above.
std::filesystem::path installation_prefix();

}  // namespace zeroshelf
