#pragma once

// Inside lib/ocr: rows of glyphs that look like lines of text.

#include <vector>

#include "lib/ocr/glyphs.h"

namespace zeroshelf {

// What tells a line of text from a row of spots. Ratios, but for the last.
struct LineFeatures {
  float count = 0;      // of glyphs
  float wide = 0;       // length in heights of a tall letter
  float aligned = 0;    // median distance from the base line, or from the top line, in heights
  float stroke = 0;     // median deviation of the strokes' thickness, relative
  float level = 0;      // median deviation of the levels, relative to the contrast
  float height = 0;     // median deviation of the glyphs' heights, relative
  float edge = 0;       // steepness of the borders relative to the contrast
  float contrast = 0;   // grey levels
  float dense = 0;      // part of the length that has ink
  float fill = 0;       // mean part of the glyphs' boxes that is ink
  float thin = 0;       // stroke in heights of a tall letter
  float gap = 0;        // median gap between glyphs in heights
  float letter_px = 0;  // height of a tall letter in pixels of the layer
};

// How far a line goes on beyond its glyphs, in pixels of the picture.
struct Reach {
  float left = 0;
  float right = 0;
  float above = 0;
};

// Glyphs of one layer, from left to right.
struct TextLine {
  const Layer* layer = nullptr;
  std::vector<const Glyph*> glyphs;
  cv::Rect2f box;       // of all glyphs, as far as they lie in the line
  float height_px = 0;  // of a tall letter
  float slope = 0;      // of the base line: dy / dx
  float base = 0;       // y of the base line where x is 0
  LineFeatures features;
  float quality = 0;  // how probable it is that this is text: 0 to 1
  Reach reach;        // none as it is found; see reach_of in strip.h
};

// The glyph's box as far as it lies where the line's letters may be: a letter that runs into
// something of its own colour above or below is a glyph with that.
cv::Rect2f box_in_line(const TextLine& line, const Glyph& glyph);

// Rows of glyphs of all layers that may be text by their ratios; quality is what these say. Rows of
// different layers may show the same text. The layers must outlive the rows.
std::vector<TextLine> find_candidates(const std::vector<Layer>& layers);

// Looks at a row, which costs some 50 microseconds, and makes quality what is seen (line_net.h).
bool is_likely_text(TextLine& line);

// The candidates that are likely text.
std::vector<TextLine> find_lines(const std::vector<Layer>& layers);

}  // namespace zeroshelf
