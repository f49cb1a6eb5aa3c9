#pragma once

// Inside lib/ocr: words that Tesseract read as one because the space between them is narrow.

#include <functional>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "lib/ocr/recogniser.h"

namespace zeroshelf {

// Splits words at gaps that are wider than those between their other letters, where every part is
// a word or a number. grey: the strip that was read, dark letters on white. knows: whether a word
// is in a dictionary. The parts keep the confidence.
std::vector<RecognisedWord> split_joined(std::vector<RecognisedWord> words, const cv::Mat& grey,
                                         const std::function<bool(const std::string&)>& knows);

}  // namespace zeroshelf
