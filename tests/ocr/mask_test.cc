// Tests lib/ocr/mask.h and overlay.h.

#include "lib/ocr/mask.h"

#include <boost/test/unit_test.hpp>
#include <cstdlib>

#include "lib/image/preprocess.h"
#include "lib/ocr/overlay.h"
#include "tests/support/draw.h"

namespace zeroshelf {
namespace {

using testing::plain_image;

void fill(Image& image, const Box& box, uint8_t value) {
  for (int y = box.y; y < box.y + box.height; ++y) {
    for (int i = 3 * box.x; i < 3 * (box.x + box.width); ++i)
      image.rgb[static_cast<size_t>(y) * image.width_px * 3 + i] = value;
  }
}

int largest_difference(const Image& a, const Image& b) {
  int largest = 0;
  for (size_t i = 0; i < a.rgb.size(); ++i)
    largest = std::max(largest, std::abs(a.rgb[i] - b.rgb[i]));
  return largest;
}

}  // namespace

BOOST_AUTO_TEST_CASE(blanked_words_leave_what_was_around_them) {
  const Image plain = plain_image(60, 40, {200, 90, 40});
  Image written = plain;
  const Box box{20, 15, 20, 8};
  fill(written, box, 255);
  BOOST_TEST(largest_difference(blank_out(written, {box}), plain) <= 4);
}

BOOST_AUTO_TEST_CASE(blanking_touches_only_the_boxes_and_their_margin) {
  const Image noise = testing::noise_image(50, 50, 4);
  const Image blanked = blank_out(noise, {{10, 10, 12, 8}});
  BOOST_TEST(largest_difference(blanked, noise) > 0);
  for (int y = 0; y < 50; ++y) {
    for (int x = 0; x < 50; ++x) {
      if (x >= 8 && x < 24 && y >= 8 && y < 20) continue;
      BOOST_REQUIRE(blanked.row(y)[3 * x] == noise.row(y)[3 * x]);
    }
  }
  BOOST_TEST(largest_difference(blank_out(noise, {}), noise) == 0);
}

BOOST_AUTO_TEST_CASE(boxes_beyond_the_picture_do_no_harm) {
  const Image noise = testing::noise_image(30, 20, 4);
  blank_out(noise, {{-50, -50, 10, 10}, {25, 15, 4000, 4000}, {0, 0, 0, 0}});
  const Image all = blank_out(noise, {{-5, -5, 100, 100}});
  BOOST_TEST(largest_difference(all, plain_image(30, 20, {128, 128, 128})) == 0);
}

// The place of a white rectangle, found in the crop itself.
BOOST_AUTO_TEST_CASE(boxes_follow_resizing_and_cropping) {
  for (const auto& [width, height] : {std::pair(300, 200), std::pair(200, 333)}) {
    Image image = plain_image(width, height, {});
    const Box box{120, 90, 40, 30};
    fill(image, box, 255);
    Preprocessing preprocessing;
    preprocessing.size_px = 64;
    const Image crop = resize_and_crop(image, preprocessing);
    const Box place = box_in_crop(box, width, height, preprocessing);
    for (int y = 0; y < 64; ++y) {
      for (int x = 0; x < 64; ++x) {
        const bool bright = crop.row(y)[3 * x] > 128;
        const bool inside =
            x >= place.x && x < place.x + place.width && y >= place.y && y < place.y + place.height;
        if (bright) BOOST_REQUIRE(inside);
      }
    }
    BOOST_TEST(std::abs(place.width - 40 * 64 / 200) <= 2);
    BOOST_TEST(std::abs(place.height - 30 * 64 / 200) <= 2);
  }
}

BOOST_AUTO_TEST_CASE(read_words_are_framed_and_boxes_beyond_the_picture_do_no_harm) {
  const Image plain = plain_image(200, 100, {90, 90, 90});
  const Image drawn = with_words_drawn(
      plain, {{"word", 1.0f, {40, 50, 60, 20}}, {"\xc3\xb6", 0.5f, {-30, 90, 5000, 70}}});
  BOOST_TEST(drawn.width_px == 200);
  BOOST_TEST(drawn.row(50)[3 * 70 + 1] > 150);  // green
  BOOST_TEST(drawn.row(62)[3 * 70 + 1] == 90);  // inside
  BOOST_TEST(largest_difference(with_words_drawn(plain, {}), plain) == 0);
}

}  // namespace zeroshelf
