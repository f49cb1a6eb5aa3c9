#include "lib/ocr/line_net.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "lib/ocr/line_kernel.h"
#include "lib/util/cpu.h"
#include "lib/util/random.h"
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

BOOST_AUTO_TEST_CASE(every_instruction_set_gives_the_same_bits) {
  if (instruction_set() == InstructionSet::Portable) return;
  Random random(7);
  std::vector<float> weights(LineNetShape::kWeights);
  for (float& weight : weights) weight = static_cast<float>(random.uniform(-0.2, 0.2));
  for (int columns = 16; columns <= LineLook::kMostColumns; columns += 8) {
    std::vector<uint8_t> samples(static_cast<size_t>(LineLook::kRows * columns));
    for (uint8_t& sample : samples) sample = static_cast<uint8_t>(random.below(256));
    float features[LineNetShape::kFeatures];
    for (float& feature : features) feature = static_cast<float>(random.uniform(-1, 1));
    const float portable = line_kernel_portable(samples.data(), columns, features, weights.data());
    const float avx2 = line_kernel_avx2(samples.data(), columns, features, weights.data());
    BOOST_TEST(portable == avx2);
  }
}

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
