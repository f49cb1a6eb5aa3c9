#pragma once

// Inside lib/ocr: a line of text as Tesseract reads it best: upright, dark on white, tall letters
// about as high as its network was trained on.

#include <opencv2/core.hpp>
#include <vector>

#include "lib/ocr/text_lines.h"

namespace zeroshelf {

// Taller letters shrink to this height.
inline constexpr double kMostLetterPx = 34;

enum class Rendering {
  Isolated,  // the line's glyphs in their own colour, everything else white
  Coloured,  // whatever has the glyphs' colour and a letter's size
  Plain,     // all that is there, stretched to full contrast
};

struct Strip {
  cv::Mat grey;            // CV_8U
  cv::Matx23d to_picture;  // of points of the strip
  cv::Scalar ink;          // the colour of the letters' cores: R, G, B
  cv::Range rows;          // where the line's letters are, with half of the margin around them
};

// rgb: CV_8UC3, the picture in which the line was found or a larger version of it, with rgb_scale
// pixels a pixel of that. Tall letters are as high in the strip as in rgb, but for those below
// least_letter_px (see scripts.h), which grow, and those above kMostLetterPx: Tesseract's time goes
// with their size.
Strip render_line(const cv::Mat& rgb, double rgb_scale, const TextLine& line, Rendering rendering,
                  double least_letter_px);

// Where the row of a line goes on: letters of its ink that its layer does not show because what
// lies behind them is as bright, or as dark, as they are.
Reach reach_of(const cv::Mat& rgb, double rgb_scale, const TextLine& line);

// The upright box around a box of the strip, in pixels of the picture.
cv::Rect box_in_picture(const Strip& strip, const cv::Rect& box);

}  // namespace zeroshelf
