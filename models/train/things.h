#pragma once

// What the generator draws: the emoji that have both a name in Unicode's CLDR and a picture of
// their own in a colour font.

#include <filesystem>
#include <string>
#include <vector>

namespace zeroshelf::train {

struct Thing {
  char32_t character = 0;
  std::string name;                   // lower case, unique: "dog face"
  std::vector<std::string> synonyms;  // lower case, without the name: "dog", "pet"
};

// The single characters of an annotations file of CLDR (common/annotations/en.xml, Debian package
// unicode-cldr-core), in the file's order. A synonym that more than six things share says too
// little about each and is left out. Throws NotFound or Corruption.
std::vector<Thing> read_things(const std::filesystem::path& annotations);

// For people: "a dog", "an apple", and "scissors" stays as it is.
std::string with_article(const std::string& name);

}  // namespace zeroshelf::train
