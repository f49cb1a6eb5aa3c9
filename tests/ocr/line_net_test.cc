#include "lib/ocr/line_net.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "tests/support/draw.h"

namespace zeroshelf {
namespace {

cv::Mat as_mat(Image& image) {
  return {image.height_px, image.width_px, CV_8UC3, image.rgb.data()};
}

float best_probability(Image image) {
  const std::vector<Layer> layers = find_glyphs(as_mat(image), {});
  float best = 0;
  for (const TextLine& line : find_candidates(layers))
    best = std::max(best, text_probability(line));
  return best;
}

}  // namespace

BOOST_AUTO_TEST_CASE(text_looks_like_text_of_any_size_and_colour) {
  for (const int letter_px : {9, 16, 30, 70}) {
    Image image = testing::gradient_image(900, 300, 3);
    testing::draw_text(image, "SOME WORDS", 40, 200, letter_px, {255, 255, 255});
    BOOST_TEST(best_probability(image) > 0.9f);
  }
  Image dark = testing::plain_image(500, 200, {230, 220, 90});
  testing::draw_text(dark, "SOME WORDS", 40, 120, 24, {20, 20, 60});
  BOOST_TEST(best_probability(dark) > 0.9f);
}

BOOST_AUTO_TEST_CASE(shapes_do_not_look_like_text) {
  for (uint32_t seed = 0; seed < 4; ++seed) {
    BOOST_TEST(best_probability(testing::shapes_image(600, 400, seed, 60)) < 0.5f);
  }
}

}  // namespace zeroshelf
