#pragma once

// Inside lib/ocr: lines of text -> words, by several readings of which the best counts.

#include <memory>
#include <opencv2/core.hpp>
#include <vector>

#include "lib/ocr/reading_steps.h"
#include "lib/ocr/recogniser.h"
#include "lib/ocr/text_lines.h"
#include "lib/util/words.h"

namespace zeroshelf {

// What letters that were read look like.
struct LetterStyle {
  cv::Scalar ink;  // R, G, B
  float height_px = 0;
};

// Reads the lines of one picture. rgb and rgb_scale: as for render_line; what is given to the
// constructor outlives this.
class PictureReader {
 public:
  PictureReader(const cv::Mat& rgb, double rgb_scale, Recogniser& recogniser,
                const ReadingSteps& steps, const TimeBudget& time);
  ~PictureReader();

  // Of lines that show the same place the best readings count, those of earlier calls too. Throws
  // TimeIsUp.
  void read(std::vector<TextLine> lines);

  // Of the lines that were surely read so far the two most frequent ones; where there are none, the
  // most frequent one of those that were read well.
  std::vector<LetterStyle> styles() const;

  // In reading order, boxes in pixels of rgb.
  std::vector<Word> words() &&;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace zeroshelf
