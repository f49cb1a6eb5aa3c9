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

  // lines: candidates; each is looked at before it is read. Of lines that show the same place the
  // best readings count, those of earlier calls too. Throws TimeIsUp.
  void read(std::vector<TextLine> lines);

  // The two most frequent styles of the lines that were surely read so far; without any, the
  // most frequent one of those that were read well.
  std::vector<LetterStyle> styles() const;

  // Letters of the lines that were surely read.
  size_t sure_letters() const;
  // Whether more lines were surely read than badly.
  bool makes_sense() const;
  // Whether this is a page: many lines, all of them surely read.
  bool is_page() const;

  // Whether the lines that were read first made no sense and make some when they are turned by half
  // a circle. The lines after them were not read then.
  bool is_on_its_head() const;

  // Strips of lines that look like text and were read badly: what Tesseract saw, dark on white, the
  // most promising first; at most kMostDoubtful. None where another reading of the place is sure.
  static constexpr size_t kMostDoubtful = 8;
  std::vector<cv::Mat> doubtful_strips() const;
  // Forgets what was read where these strips lie, unless the dictionary knows it.
  void drop_doubtful();

  // Each line's words from left to right, boxes in pixels of rgb; the lines in no order.
  std::vector<std::vector<Word>> lines() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace zeroshelf
