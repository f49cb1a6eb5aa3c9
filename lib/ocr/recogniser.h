#pragma once

// Inside lib/ocr: Tesseract, and nothing else of it anywhere.
//
// Threads: one recogniser belongs to one thread; its calls keep OpenMP off there, because
// Tesseract's own threads make parallel use many times slower.

#include <memory>
#include <opencv2/core.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/ocr/time_budget.h"

namespace zeroshelf {

// A letter of a word, roughly where it stands.
struct RecognisedSymbol {
  size_t begin = 0;  // its first byte in the word's text
  float middle_x = 0;
};

// Whether the text has a letter or digit, or a sign beside one: Tesseract may give a vowel of Thai,
// which is a mark to Unicode, as a word of its own.
bool may_be_word(std::string_view utf8);

struct RecognisedWord {
  std::string text;      // UTF-8, no white space; may_be_word
  float confidence = 0;  // 0 to 1
  bool in_dictionary = false;
  cv::Rect box;                           // in the pixels that were given
  std::vector<RecognisedSymbol> symbols;  // from left to right; none where they are not the text
};

class Recogniser {
 public:
  enum class Layout { Page, Sparse, Block, Line };

  // languages: Tesseract's codes, joined by '+'. Throws Unavailable when a language's data is not
  // installed (the cure names the package), InvalidArgument when languages is no list of codes of
  // languages (kAutoLanguages is none, nor is Tesseract's other data: osd, equ).
  explicit Recogniser(const std::string& languages);
  ~Recogniser();

  // pixels: CV_8UC1 or CV_8UC3 (RGB). Words in Tesseract's order. Throws TimeIsUp when the time is
  // spent before or while they are read; Tesseract looks at it between words.
  std::vector<RecognisedWord> read(const cv::Mat& pixels, Layout layout, const TimeBudget& time);

  // See scripts.h.
  double least_letter_px() const;

  // Whether the word, without punctuation at its ends, is in a dictionary of the languages.
  bool knows(const std::string& word) const;

 private:
  struct Api;
  std::unique_ptr<Api> api_;
};

// What Tesseract's data for scripts says about letters.
struct ScriptGuess {
  std::string script;  // as in scripts.h
  float margin = 0;    // to the next likely one; above 0
};

// Tells the script of letters by their shapes. Threads: as Recogniser.
class ScriptFinder {
 public:
  // Throws Unavailable when the data is not installed.
  ScriptFinder();
  ~ScriptFinder();

  // strips: lines of text, CV_8UC1, dark on white. Nothing where there are too few letters.
  std::optional<ScriptGuess> guess(const std::vector<cv::Mat>& strips) const;

  // The codes of all that is installed beside it, sorted.
  std::vector<std::string> installed_languages() const;

 private:
  struct Api;
  std::unique_ptr<Api> api_;
};

}  // namespace zeroshelf
