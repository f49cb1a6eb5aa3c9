#pragma once

// What reading a picture gives: words and where they are. Needs no OCR engine.

#include <string>
#include <vector>

namespace zeroshelf {

// In pixels of the picture, origin at the top left.
struct Box {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

struct Word {
  std::string text;      // UTF-8, no white space
  float confidence = 0;  // 0 to 1
  Box box;
};

// The words in order, joined by single spaces; without one between words of scripts that write none
// where they follow each other in a row or from one row to the next.
std::string joined_text(const std::vector<Word>& words);

// Whether the code point is of a script that writes no spaces between its words (Han, kana, Thai,
// Lao, Khmer, Burmese), marks of such scripts included.
bool writes_no_spaces(char32_t letter);

// The mean confidence, each word weighted by its length, an empty one (of a text that was given as a
// vector alone) like a letter; 0 without words.
float mean_confidence(const std::vector<Word>& words);

}  // namespace zeroshelf
