#include "lib/image/thumbnail.h"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <span>
#include <utility>
#include <variant>

#include "lib/image/decode.h"
#include "tests/support/draw.h"

namespace zeroshelf {
namespace {

Image shown(const Thumbnail& thumbnail) {
  auto decoded = decode_image(std::as_bytes(std::span(thumbnail.jpeg)), {});
  BOOST_REQUIRE(std::holds_alternative<Image>(decoded));
  return std::get<Image>(std::move(decoded));
}

void check_size(int width_px, int height_px, int expected_width_px, int expected_height_px) {
  const Thumbnail thumbnail = make_thumbnail(testing::gradient_image(width_px, height_px, 3));
  const Image image = shown(thumbnail);
  BOOST_TEST(thumbnail.width_px == expected_width_px);
  BOOST_TEST(thumbnail.height_px == expected_height_px);
  BOOST_TEST(image.width_px == expected_width_px);
  BOOST_TEST(image.height_px == expected_height_px);
}

BOOST_AUTO_TEST_SUITE(thumbnail)

BOOST_AUTO_TEST_CASE(the_longer_side_shrinks_and_the_proportions_stay) {
  check_size(640, 480, 160, 120);
  check_size(480, 640, 120, 160);
  check_size(1000, 1, 160, 1);
  check_size(3, 1000, 1, 160);
}

BOOST_AUTO_TEST_CASE(a_small_picture_keeps_its_size) {
  check_size(160, 160, 160, 160);
  check_size(20, 10, 20, 10);
  check_size(1, 1, 1, 1);
}

BOOST_AUTO_TEST_CASE(colours_stay_what_they_were) {
  const Image image = shown(make_thumbnail(testing::plain_image(400, 300, {200, 100, 20})));
  const uint8_t* middle = image.row(image.height_px / 2).data() + 3 * (image.width_px / 2);
  BOOST_TEST(std::abs(middle[0] - 200) <= 4);
  BOOST_TEST(std::abs(middle[1] - 100) <= 4);
  BOOST_TEST(std::abs(middle[2] - 20) <= 4);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
