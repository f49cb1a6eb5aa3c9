// Small pictures: made of the file that was indexed, kept by its content, and bounded.

#include "query/serve/thumbnails.h"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>

#include "lib/image/decode.h"
#include "lib/util/hash.h"
#include "tests/support/draw.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::serve {
namespace {

namespace fs = std::filesystem;

struct Drawn {
  Drawn() {
    bytes = testing::png_bytes(testing::shapes_image(400, 200, 7));
    testing::write_file(record.file.path = (directory / "a.png").string(), bytes);
    record.content_hash = content_hash(std::as_bytes(std::span(bytes)));
    record.width_px = 400;
    record.height_px = 200;
  }

  static Image decoded(const std::string& jpeg) {
    return std::get<Image>(decode_image(std::as_bytes(std::span(jpeg)), DecodeLimits()));
  }
  fs::path kept(int size) const {
    const std::string name = to_hex(record.content_hash);
    return directory / "cache" / std::to_string(size) / name.substr(0, 2) / (name + ".jpg");
  }

  testing::TemporaryDirectory directory;
  std::string bytes;
  PictureRecord record;
};

BOOST_FIXTURE_TEST_SUITE(thumbnails, Drawn)

BOOST_AUTO_TEST_CASE(sizes_are_a_few_steps) {
  BOOST_TEST(Thumbnails::step_of(0) == 160);
  BOOST_TEST(Thumbnails::step_of(160) == 160);
  BOOST_TEST(Thumbnails::step_of(161) == 320);
  BOOST_TEST(Thumbnails::step_of(1281) == 2048);
  BOOST_TEST(Thumbnails::step_of(UINT64_MAX) == 2048);
}

BOOST_AUTO_TEST_CASE(one_is_made_once_and_outlives_its_file) {
  Thumbnails thumbnails(directory / "cache");
  const auto made = std::get<std::string>(thumbnails.get(record, 160));
  const Image small = decoded(made);
  BOOST_TEST(small.width_px == 160);
  BOOST_TEST(small.height_px == 80);
  BOOST_TEST(fs::exists(kept(160)));
  fs::remove(record.file.path);
  BOOST_TEST(std::get<std::string>(thumbnails.get(record, 160)) == made);
  BOOST_TEST(std::holds_alternative<Skip>(thumbnails.get(record, 320)));
  BOOST_TEST(std::holds_alternative<Skip>(thumbnails.file(record)));
}

BOOST_AUTO_TEST_CASE(without_a_folder_nothing_is_kept) {
  Thumbnails thumbnails{fs::path()};
  BOOST_TEST(std::holds_alternative<std::string>(thumbnails.get(record, 160)));
  thumbnails.tidy();
  BOOST_TEST(!fs::exists(directory / "cache"));
}

BOOST_AUTO_TEST_CASE(what_was_kept_and_is_no_picture_is_made_anew) {
  Thumbnails thumbnails(directory / "cache");
  testing::write_file(kept(160), "no picture");
  BOOST_TEST(decoded(std::get<std::string>(thumbnails.get(record, 160))).width_px == 160);
}

BOOST_AUTO_TEST_CASE(another_file_of_that_name_is_not_shown) {
  Thumbnails thumbnails(directory / "cache");
  BOOST_TEST(std::get<std::string>(thumbnails.file(record)) == bytes);
  testing::write_file(record.file.path, testing::png_bytes(testing::shapes_image(400, 200, 8)));
  BOOST_TEST(std::holds_alternative<Skip>(thumbnails.file(record)));
  BOOST_TEST(std::holds_alternative<Skip>(thumbnails.get(record, 160)));
}

BOOST_AUTO_TEST_CASE(types_are_told_by_the_bytes) {
  BOOST_TEST(picture_type(bytes) == "image/png");
  BOOST_TEST(picture_type(testing::jpeg_bytes(testing::plain_image(8, 8, {}))) == "image/jpeg");
  BOOST_TEST(picture_type("RIFF1234WEBP") == "image/webp");
  BOOST_TEST(picture_type("RIFF1234WAVE") == "application/octet-stream");
  BOOST_TEST(picture_type(std::string("\0\0\0\x1c" "ftypavif", 12)) == "image/avif");
  for (const char* other : {"", "<html>", "<svg xmlns="})
    BOOST_TEST(picture_type(other) == "application/octet-stream");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf::serve
