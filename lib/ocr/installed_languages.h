#pragma once

// In which languages text can be read on this machine.

#include <string>
#include <vector>

namespace zeroshelf {

// Tesseract's data; empty where there is none. Threads: any.
struct InstalledLanguages {
  std::string folder;
  std::vector<std::string> languages;  // codes, sorted; "osd" is the data for scripts
};
InstalledLanguages installed_languages();

}  // namespace zeroshelf
