#include "lib/ocr/stacked.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <opencv2/imgproc.hpp>

namespace zeroshelf {
namespace {

// The stacked glyphs of a layer at full size that shows these boxes, black on white.
std::vector<Glyph> stacked(const std::vector<cv::Rect>& boxes) {
  cv::Mat rgb(300, 400, CV_8UC3, cv::Scalar(255, 255, 255));
  for (const cv::Rect& box : boxes) rgb(box) = cv::Scalar(0, 0, 0);
  const std::vector<Layer> layers = find_glyphs(rgb, {.large = false, .colour = false});
  const auto dark = std::ranges::find(layers, Polarity::Dark, &Layer::polarity);
  BOOST_REQUIRE(dark != layers.end());
  const Layer layer = with_stacked_glyphs(*dark);
  std::vector<Glyph> glyphs = layer.glyphs;
  std::ranges::sort(glyphs, {},
                    [](const Glyph& glyph) { return std::pair(glyph.box.x, glyph.box.y); });
  for (const Glyph& glyph : glyphs) {
    int area = 0;
    int row = 0;
    for (const PixelRun& run : layer.runs_of(layer.regions[glyph.region])) {
      BOOST_TEST(run.y >= row);
      row = run.y;
      area += run.end - run.begin;
    }
    BOOST_TEST(area == layer.regions[glyph.region].area);
  }
  return glyphs;
}

// A letter L of this size.
std::vector<cv::Rect> corner(int x, int y, int width, int height) {
  return {{x, y, 4, height}, {x, y + height - 4, width, 4}};
}

std::vector<cv::Rect> all_of(std::initializer_list<std::vector<cv::Rect>> parts) {
  std::vector<cv::Rect> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(parts_above_each_other_are_one_glyph) {
  // As the syllable of two consonants with a flat vowel between them, which is no glyph of its own.
  const auto glyphs =
      stacked(all_of({corner(100, 100, 28, 14), {{96, 118, 36, 4}}, corner(100, 126, 28, 14)}));
  BOOST_REQUIRE_EQUAL(glyphs.size(), 1u);
  BOOST_TEST(glyphs[0].box.x == 96);
  BOOST_TEST(glyphs[0].box.y == 100);
  BOOST_TEST(glyphs[0].box.width == 36);
  BOOST_TEST(glyphs[0].box.height == 40);
  BOOST_TEST(glyphs[0].stroke_px > 2);
  BOOST_TEST(glyphs[0].level < 20);
}

BOOST_AUTO_TEST_CASE(letters_beside_each_other_and_in_two_lines_stay_apart) {
  BOOST_TEST(stacked(all_of({corner(100, 100, 28, 40), corner(140, 100, 28, 40)})).size() == 2u);
  BOOST_TEST(stacked(all_of({corner(100, 100, 28, 40), corner(100, 156, 28, 40)})).size() == 2u);
  // Lines as close as a descender brings them.
  BOOST_TEST(stacked(all_of({corner(100, 100, 28, 40), corner(100, 144, 28, 40)})).size() == 2u);
}

}  // namespace zeroshelf
