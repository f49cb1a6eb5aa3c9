#pragma once

// A part of the program in a library of its own, which is loaded only when it is wanted: what it
// needs takes long to load, or is not installed everywhere.

#include <filesystem>
#include <string>

namespace zeroshelf {

struct LoadedPart {
  std::string name;                    // for errors, e.g. "MPI"
  std::filesystem::path file;          // where it was built; of an installed program its name
  std::filesystem::path build_folder;  // empty: of an installed program
  const char* symbol = nullptr;        // of the table that it exports
  bool is_global = false;              // whether other libraries find its symbols
  std::string cure;                    // when it cannot be loaded
};

// The table; the part is never closed. It is taken from bin/../lib/zeroshelf and, where it was
// built, only for a program that lies there, too: anybody might make that folder on another
// machine. Throws Unavailable. Threads: any.
const void* load_part(const LoadedPart& part);

}  // namespace zeroshelf
