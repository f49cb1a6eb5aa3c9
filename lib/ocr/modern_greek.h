#pragma once

// Inside lib/ocr: Greek as it is written today. Tesseract's data for it knows the letters of
// ancient Greek, too, and the micro sign, and takes one for the other.

#include <string_view>

#include "lib/ocr/recogniser.h"

namespace zeroshelf {

// Whether a letter, in UTF-8, has others that look much like it: which of them Tesseract names says
// little about whether it is a letter.
bool has_greek_doubles(std::string_view letter);

// Makes micro signs beside Greek letters the letter mu (a unit, "5 µm", keeps its own); and unless
// the word is ancient, leaves of its accents what is written today: an acute one for a circumflex,
// none for a breathing. What looks like a breathing is the word's accent where it has no other one
// and more than one syllable, or where it does not begin with that vowel; capitals have none.
void correct_greek(RecognisedWord& word, bool is_ancient);

}  // namespace zeroshelf
