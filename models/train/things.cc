// Tested by tests/train/generator_test.cc.

#include "models/train/things.h"

#include <fmt/format.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <map>
#include <pugixml.hpp>
#include <string_view>

#include "lib/util/error.h"
#include "lib/util/text.h"

namespace zeroshelf::train {
namespace {

constexpr size_t kMostSharers = 6;

std::string lower(const std::string& utf8) {
  std::string result;
  icu::UnicodeString::fromUTF8(utf8).toLower().toUTF8String(result);
  return result;
}

// The only character of the text, or 0.
char32_t single_character(const std::string& utf8) {
  const icu::UnicodeString text = icu::UnicodeString::fromUTF8(utf8);
  return text.countChar32() == 1 ? static_cast<char32_t>(text.char32At(0)) : 0;
}

std::vector<std::string> split_keywords(const std::string& list) {
  std::vector<std::string> words;
  for (size_t start = 0; start <= list.size();) {
    const size_t end = std::min(list.find('|', start), list.size());
    const std::string word(trimmed(std::string_view(list).substr(start, end - start)));
    if (!word.empty()) words.push_back(lower(word));
    start = end + 1;
  }
  return words;
}

void keep_telling_synonyms(std::vector<Thing>& things) {
  std::map<std::string, size_t> sharers;
  for (const Thing& thing : things) {
    for (const std::string& word : thing.synonyms) ++sharers[word];
  }
  for (Thing& thing : things) {
    std::erase_if(thing.synonyms, [&](const std::string& word) {
      return word == thing.name || sharers[word] > kMostSharers;
    });
  }
}

}  // namespace

std::vector<Thing> read_things(const std::filesystem::path& annotations) {
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_file(annotations.c_str());
  if (!parsed) {
    throw Error(
        parsed.status == pugi::status_file_not_found ? ErrorCode::NotFound : ErrorCode::Corruption,
        annotations.string(), parsed.description(), "install the Debian package unicode-cldr-core");
  }
  std::vector<Thing> things;
  std::map<char32_t, size_t> place;
  for (const pugi::xml_node node : document.child("ldml").child("annotations")) {
    const char32_t character = single_character(node.attribute("cp").value());
    if (character == 0) continue;
    const auto [found, is_new] = place.emplace(character, things.size());
    if (is_new) things.push_back({character, {}, {}});
    Thing& thing = things[found->second];
    if (std::string_view(node.attribute("type").value()) == "tts") {
      thing.name = lower(node.text().get());
    } else {
      thing.synonyms = split_keywords(node.text().get());
    }
  }
  std::erase_if(things, [](const Thing& thing) { return thing.name.empty(); });
  keep_telling_synonyms(things);
  return things;
}

std::string with_article(const std::string& name) {
  const bool plural = name.ends_with('s') && !name.ends_with("ss") && !name.ends_with("us");
  if (plural || name.empty()) return name;
  const bool vowel = std::string_view("aeio").find(name.front()) != std::string_view::npos;
  return fmt::format("{} {}", vowel ? "an" : "a", name);
}

}  // namespace zeroshelf::train
