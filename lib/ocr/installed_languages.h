#pragma once

// In which languages text can be read on this machine.

#include <string>
#include <string_view>
#include <vector>

namespace zeroshelf {

// Tesseract's data; empty where there is none. Threads: any.
struct InstalledLanguages {
  std::string folder;
  std::vector<std::string> languages;  // codes, sorted; "osd" is the data for scripts
};
InstalledLanguages installed_languages();

// What to do when Tesseract's data for this language is missing: its package, and where data is
// looked for instead when TESSDATA_PREFIX says so. Threads: any.
std::string language_data_cure(std::string_view language);

}  // namespace zeroshelf
