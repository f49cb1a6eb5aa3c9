#include "lib/export/indexed_picture.h"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <span>

#include "lib/util/hash.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

// A portable pixmap of one grey.
std::string pixmap(char grey) {
  return "P6\n2 3\n255\n" + std::string(2 * 3 * 3, grey);
}

struct IndexedFile {
  explicit IndexedFile(const std::string& bytes) {
    testing::write_file(path, bytes);
    record.file = {path, bytes.size(), 0};
    record.content_hash = content_hash(std::as_bytes(std::span(bytes)));
    record.width_px = 2;
    record.height_px = 3;
  }

  SkipReason reason() const { return std::get<Skip>(indexed_picture(record)).reason; }

  testing::TemporaryDirectory directory;
  std::string path = (directory / "a.ppm").string();
  PictureRecord record;
};

BOOST_AUTO_TEST_SUITE(indexed_pictures)

BOOST_AUTO_TEST_CASE(the_picture_that_was_indexed_is_decoded) {
  const IndexedFile file(pixmap(7));
  const auto found = indexed_picture(file.record);
  const Image& image = std::get<Image>(found);
  BOOST_TEST(image.width_px == 2);
  BOOST_TEST(image.height_px == 3);
  BOOST_TEST(image.rgb[0] == 7);
}

BOOST_AUTO_TEST_CASE(another_content_of_the_same_size_is_not_shown) {
  const IndexedFile file(pixmap(7));
  testing::write_file(file.path, pixmap(8));
  BOOST_TEST((file.reason() == SkipReason::Changed));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_gone_or_a_folder_now_says_so) {
  const IndexedFile file(pixmap(7));
  std::filesystem::remove(file.path);
  BOOST_TEST((file.reason() == SkipReason::Vanished));
  std::filesystem::create_directory(file.path);
  BOOST_TEST((file.reason() == SkipReason::Unreadable));
}

BOOST_AUTO_TEST_CASE(what_was_indexed_and_is_no_picture_keeps_its_reason) {
  const IndexedFile file("no picture at all");
  BOOST_TEST((file.reason() == SkipReason::NotAPicture));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
