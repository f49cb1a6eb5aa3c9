#include "lib/image/read_crop.h"

#include <boost/test/unit_test.hpp>

#include "lib/util/error.h"
#include "tests/support/draw.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

BOOST_AUTO_TEST_CASE(a_picture_file_is_read_and_cropped_or_said_not_to_be_one) {
  const testing::TemporaryDirectory directory;
  Preprocessing preprocessing;
  preprocessing.size_px = 16;
  testing::write_file(directory / "a.png", testing::png_bytes(testing::shapes_image(60, 40, 1)));
  const Image crop = read_crop(directory / "a.png", preprocessing);
  BOOST_TEST(crop.width_px == 16);
  BOOST_TEST(crop.height_px == 16);
  BOOST_TEST((std::get<Image>(try_read_crop(directory / "a.png", preprocessing)).rgb == crop.rgb));

  testing::write_file(directory / "text", "no picture");
  const auto skip = try_read_crop(directory / "text", preprocessing);
  BOOST_REQUIRE(std::holds_alternative<Skip>(skip));
  BOOST_CHECK_EXCEPTION(read_crop(directory / "text", preprocessing), Error, [&](const Error& e) {
    return e.code() == ErrorCode::InvalidArgument && e.cause() == std::get<Skip>(skip).detail;
  });
  BOOST_CHECK_EXCEPTION(try_read_crop(directory / "none", preprocessing), Error,
                        [](const Error& e) { return e.code() == ErrorCode::NotFound; });
}

}  // namespace
}  // namespace zeroshelf
