#pragma once

// Inside lib/ocr: which language is written in which script. Needs no OCR engine.
//
// Scripts have Tesseract's names, except that those which it cannot tell apart by a few letters
// count as one: "Han or kana".

#include <string>
#include <vector>

namespace zeroshelf {

inline constexpr const char* kLatin = "Latin";
inline constexpr const char* kHanOrKana = "Han or kana";

// language: Tesseract's code. What is not known is taken for Latin.
std::string script_of_language(const std::string& language);

// name: as Tesseract's script detection has it.
std::string script_by_name(const std::string& name);

// How many pixels a tall letter must have at least to be read well in all of these languages
// ("eng+deu"): letters of few strokes need fewer.
double least_letter_px(const std::string& languages);

// The codes of "eng+deu".
std::vector<std::string> split_languages(const std::string& languages);

// Whether letters of the languages, joined by '+', consist of parts above each other that do not
// touch: Hangul's strokes, the dots of Arabic.
bool have_stacked_letters(const std::string& languages);

// The ones of these languages that have the script, as readers try them: each group joined by '+'.
// Languages with letters go together, English first; Chinese and Japanese are tried one by one,
// each with English. Empty where none is of the script.
std::vector<std::string> language_groups(const std::vector<std::string>& languages,
                                         const std::string& script);

}  // namespace zeroshelf
