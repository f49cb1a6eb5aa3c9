#pragma once

// Inside lib/ocr: parts of a picture that may be letters.
//
// Letters are thinner than what lies around them and stand out from it on all sides, so they are
// connected regions of pixels that are brighter, or darker, than the mean of their neighbourhood.
// Several layers see different letters: bright and dark ones, white ones on bright colours (the
// smallest of R, G and B), black ones on dark colours (the largest), coloured ones on light and
// dark (the chroma); at full size for small letters and at a half and a quarter for large ones.

#include <cstddef>
#include <opencv2/core.hpp>
#include <span>
#include <vector>

namespace zeroshelf {

// Pixels of a row side by side: from begin to before end.
struct PixelRun {
  int y = 0;
  int begin = 0;
  int end = 0;
};

// Connected pixels of a layer, in its pixels.
struct Region {
  cv::Rect box;
  int area = 0;
  size_t first_run = 0;  // in the layer's runs
  size_t run_count = 0;
};

// A region that may be a letter. Lengths are pixels of the picture that was searched.
struct Glyph {
  cv::Rect2f box;
  float stroke_px = 0;  // mean thickness
  float level = 0;      // mean sample of the layer inside, 0 to 255
  float contrast = 0;   // by how much that differs from the neighbourhood's mean; positive
  float edge = 0;       // mean step from a pixel at its border to the next one outside
  float fill = 0;       // part of the box that it covers
  size_t region = 0;    // its number in the layer
};

enum class Polarity { Bright, Dark };

enum class Channel {
  Luminance,
  Extreme,  // the smallest of R, G and B for bright letters, the largest for dark ones
  Chroma,   // the largest less the smallest: how far from grey
  Ink,      // how near to a colour that letters are known to have
};

struct Layer {
  Polarity polarity = Polarity::Bright;
  double scale = 1;            // pixels of the layer a pixel of the picture
  cv::Mat samples;             // CV_8U
  std::vector<PixelRun> runs;  // those of a region lie side by side, from top to bottom
  std::vector<Region> regions;
  Channel channel = Channel::Luminance;  // what the samples are
  std::vector<Glyph> glyphs;
  cv::Scalar ink;  // of Channel::Ink: R, G and B

  std::span<const PixelRun> runs_of(const Region& region) const {
    return std::span(runs).subspan(region.first_run, region.run_count);
  }
};

// Of the region's samples.
float mean_level(const Layer& layer, const Region& region);

struct GlyphOptions {
  bool large = true;   // also look at a half and a quarter
  bool colour = true;  // also in the smallest and the largest of R, G and B, and in the chroma
};

// Each pixel the mean of two by two; a last odd row or column is left out. 15 times as fast as
// OpenCV shrinks by any factor but two.
cv::Mat halved(const cv::Mat& image);

// How far each pixel's colour is from this one: the largest difference of R, G and B, CV_8U.
cv::Mat distance_from(const cv::Mat& rgb, const cv::Scalar& colour);

// The samples of another picture, CV_8UC3, in the layer's channel. The answer is CV_8U.
cv::Mat samples_of(const cv::Mat& rgb, const Layer& layer);

// rgb: CV_8UC3. Layers without enough glyphs for a line are left out.
std::vector<Layer> find_glyphs(const cv::Mat& rgb, const GlyphOptions& options);

// Letters of this colour (R, G, B) and about this height, in pixels of rgb, also where what lies
// around them is almost as bright, or as dark, as they are.
Layer find_glyphs_of_ink(const cv::Mat& rgb, const cv::Scalar& ink, float height_px);

// The glyphs of the picture turned clockwise by 90 degrees, to look for candidates of lines:
// without runs, regions and samples.
Layer glyphs_turned_by_90(const Layer& layer);

}  // namespace zeroshelf
