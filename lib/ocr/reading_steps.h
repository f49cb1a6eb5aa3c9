#pragma once

// The steps of the reading pipeline, so that a measurement can leave out one of them.

namespace zeroshelf {

struct ReadingSteps {
  // PlainPage and PlainSparse are Tesseract alone (page segmentation modes 3 and 11), to compare
  // with.
  enum class Method { Pipeline, PlainPage, PlainSparse } method = Method::Pipeline;
  bool large_letters = true;  // glyphs are also looked for at a half and a quarter
  bool colour_layers =
      true;                // and in the smallest and the largest of R, G and B, and in the chroma
  bool whole_rows = true;  // lines go on where their ink does
  bool same_ink = true;    // more letters like those that were read are looked for
  bool isolate = true;     // letters are read without what lies around them
  bool second_reading = true;  // doubtful lines are read in another rendering, too
  bool deskew = true;          // lines are made level
  bool split_words = true;     // words that were read as one are split at wide gaps
  bool turned = true;          // a picture without sure words is looked at from its other sides
  bool scripts = true;         // lines in a script of none of the languages are left out
  bool plausibility = true;    // words that are not plausible are dropped
};

}  // namespace zeroshelf
