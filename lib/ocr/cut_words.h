#pragma once

// Inside lib/ocr: words that were cut where their script has no space.
//
// Tesseract cuts Chinese, Japanese and Thai into words, which are written without spaces, and gives
// nearly every Korean syllable as a word of its own, spaces or not.

#include <opencv2/core.hpp>
#include <vector>

#include "lib/ocr/recogniser.h"

namespace zeroshelf {

// words: of one line, from left to right, and the grey strip that they were read in (CV_8U, dark on
// white). Neighbours in a script without spaces become one where no wide gap parts them. A
// line of Hangul, whose letters have all one width, is parted anew: where its gaps are wide beside
// those between its letters, and words then are whole letters wide. Numbers are cut at no point.
std::vector<RecognisedWord> join_cut_words(std::vector<RecognisedWord> words, const cv::Mat& grey);

}  // namespace zeroshelf
