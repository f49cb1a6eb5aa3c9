#pragma once

// Inside lib/ocr: how likely a word is text and not texture that was read as letters.

#include "lib/ocr/recogniser.h"

namespace zeroshelf {

// The line that a word stands in.
struct LineContext {
  float quality = 1;     // TextLine's, 0 to 1
  float confidence = 1;  // mean of all its words, a letter
};

// 0 to 1.
float plausibility(const RecognisedWord& word, const LineContext& line);

// Below it words are dropped; calibrated on the development set of ./dev bench ocr.
inline constexpr float kLeastPlausibility = 0.5f;

}  // namespace zeroshelf
