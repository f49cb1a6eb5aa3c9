// Tested by tests/ocr/scripts_test.cc.

#include "lib/ocr/scripts.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace zeroshelf {
namespace {

struct Script {
  std::string_view name;
  std::string_view languages;  // each between blanks
};

// What Debian has packages for, without the Latin ones.
constexpr std::array kScripts = {
    Script{"Arabic", " ara fas urd pus snd uig kur_ara "},
    Script{"Armenian", " hye "},
    Script{"Bengali", " ben asm "},
    Script{"Canadian_Aboriginal", " iku "},
    Script{"Cherokee", " chr "},
    Script{"Cyrillic", " rus ukr bel bul mkd srp kaz kir mon tgk tat uzb_cyrl aze_cyrl "},
    Script{"Devanagari", " hin mar nep san "},
    Script{"Ethiopic", " amh tir "},
    Script{"Georgian", " kat kat_old "},
    Script{"Greek", " ell grc "},
    Script{"Gujarati", " guj "},
    Script{"Gurmukhi", " pan "},
    Script{kHanOrKana, " chi_sim chi_sim_vert chi_tra chi_tra_vert jpn jpn_vert "},
    Script{"Hangul", " kor kor_vert "},
    Script{"Hebrew", " heb yid "},
    Script{"Kannada", " kan "},
    Script{"Khmer", " khm "},
    Script{"Lao", " lao "},
    Script{"Malayalam", " mal "},
    Script{"Myanmar", " mya "},
    Script{"Oriya", " ori "},
    Script{"Sinhala", " sin "},
    Script{"Syriac", " syr "},
    Script{"Tamil", " tam "},
    Script{"Telugu", " tel "},
    Script{"Thaana", " div "},
    Script{"Thai", " tha "},
    Script{"Tibetan", " bod dzo "},
};

// Data of Tesseract that is no language.
bool is_language(const std::string& code) {
  return code != "osd" && code != "equ" && code != "snum" && code.find('/') == std::string::npos;
}

std::string joined(const std::vector<std::string>& languages) {
  std::string all;
  for (const std::string& language : languages) all += (all.empty() ? "" : "+") + language;
  return all;
}

}  // namespace

std::string script_of_language(const std::string& language) {
  for (const Script& script : kScripts) {
    if (script.languages.find(" " + language + " ") != std::string_view::npos)
      return std::string(script.name);
  }
  return kLatin;
}

bool have_stacked_letters(const std::string& languages) {
  return std::ranges::any_of(split_languages(languages), [](const std::string& language) {
    const std::string script = script_of_language(language);
    return script == "Hangul" || script == "Arabic";
  });
}

std::string script_by_name(const std::string& name) {
  if (name == "Han" || name == "Japanese" || name == "Hiragana" || name == "Katakana" ||
      name == "HanS" || name == "HanT")
    return kHanOrKana;
  if (name == "Korean") return "Hangul";
  if (name == "Fraktur") return kLatin;
  return name;
}

double least_letter_px(const std::string& languages) {
  constexpr double kFewStrokes = 20;
  constexpr double kManyStrokes = 34;
  const auto has_few_strokes = [](const std::string& language) {
    const std::string script = script_of_language(language);
    return script == kLatin || script == "Cyrillic" || script == "Greek";
  };
  return std::ranges::all_of(split_languages(languages), has_few_strokes) ? kFewStrokes
                                                                          : kManyStrokes;
}

std::vector<std::string> split_languages(const std::string& languages) {
  std::vector<std::string> parts;
  for (size_t start = 0; start <= languages.size();) {
    const size_t end = std::min(languages.find('+', start), languages.size());
    if (end > start) parts.push_back(languages.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

std::vector<std::string> language_groups(const std::vector<std::string>& languages,
                                         const std::string& script) {
  constexpr const char* kEnglish = "eng";
  const bool has_english = std::ranges::find(languages, kEnglish) != languages.end();
  std::vector<std::string> own;
  for (const std::string& language : languages) {
    // Text that runs from top to bottom has no lines here.
    if (is_language(language) && !language.ends_with("_vert") &&
        script_of_language(language) == script && language != kEnglish)
      own.push_back(language);
  }
  std::ranges::sort(own);
  if (script == kLatin) {
    if (has_english) own.insert(own.begin(), kEnglish);
    return own.empty() ? own : std::vector{joined(own)};
  }
  const std::string english = has_english ? std::string("+") + kEnglish : "";
  std::vector<std::string> groups;
  if (script == kHanOrKana) {
    for (const std::string& language : own) groups.push_back(language + english);
  } else if (!own.empty()) {
    groups.push_back(joined(own) + english);
  }
  return groups;
}

}  // namespace zeroshelf
