#pragma once

// Inside lib/ocr: lines of text -> words, by several readings of which the best counts.

#include <opencv2/core.hpp>
#include <vector>

#include "lib/ocr/reading_steps.h"
#include "lib/ocr/recogniser.h"
#include "lib/ocr/text_lines.h"
#include "lib/ocr/words.h"

namespace zeroshelf {

// rgb: as for render_line. The words of the lines in reading order, boxes in pixels of rgb.
// Throws TimeIsUp.
std::vector<Word> read_lines(const cv::Mat& rgb, double rgb_scale, std::vector<TextLine> lines,
                             Recogniser& recogniser, const ReadingSteps& steps,
                             const TimeBudget& time);

}  // namespace zeroshelf
