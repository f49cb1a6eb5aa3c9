// One file; what is read in pictures is tried by tests/ocr and sync_test.cc.

#include "lib/ingest/prepare.h"

#include <boost/test/unit_test.hpp>

#include <filesystem>

#include "lib/util/file.h"
#include "tests/support/draw.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

struct OneFile {
  FoundFile put(const std::string& bytes) {
    testing::write_file(path, bytes);
    return find_file(path.string()).value();
  }

  Prepared prepare_it(const FoundFile& file, bool known = false, TextReader* reader = nullptr) {
    MemoryBudget budget(1 << 20);
    MemoryBudget::Lease lease(budget, 0);
    return prepare(file, options, reader,
                   [&](const ContentHash& hash) {
                     asked = hash;
                     return known;
                   },
                   {times, lease});
  }

  testing::TemporaryDirectory directory;
  std::filesystem::path path = directory / "a.png";
  PrepareOptions options;
  StageTimes times;
  std::optional<ContentHash> asked;
};

BOOST_FIXTURE_TEST_SUITE(preparing, OneFile)

BOOST_AUTO_TEST_CASE(a_picture_is_hashed_decoded_and_cropped) {
  const std::string bytes = testing::png_bytes(testing::shapes_image(300, 400, 1));
  const FoundFile file = put(bytes);
  const Prepared prepared = prepare_it(file);
  const PreparedPicture& picture = std::get<PreparedPicture>(prepared);
  BOOST_TEST(picture.record.file.path == path.string());
  BOOST_TEST(picture.record.file.size_bytes == bytes.size());
  BOOST_TEST(picture.record.file.mtime_ns == file.mtime_ns);
  BOOST_TEST((picture.record.content_hash == content_hash(std::as_bytes(std::span(bytes)))));
  BOOST_TEST(picture.record.width_px == 300u);
  BOOST_TEST(picture.record.height_px == 400u);
  BOOST_TEST(picture.crop.width_px == 224);
  BOOST_TEST(picture.crop.height_px == 224);
  BOOST_TEST(picture.words.empty());
  BOOST_TEST(!picture.masked_crop);
  BOOST_TEST(!picture.is_blank);
}

BOOST_AUTO_TEST_CASE(known_content_is_not_decoded) {
  const FoundFile file = put("not even a picture");
  const Prepared prepared = prepare_it(file, true);
  BOOST_TEST((std::get<KnownContent>(prepared).hash == asked.value()));
}

BOOST_AUTO_TEST_CASE(a_picture_with_nothing_to_see_is_blank) {
  const FoundFile file = put(testing::png_bytes(testing::plain_image(40, 40, {9, 9, 9})));
  const Prepared prepared = prepare_it(file);
  BOOST_TEST(std::get<PreparedPicture>(prepared).is_blank);
}

BOOST_AUTO_TEST_CASE(a_large_jpeg_keeps_its_own_size_in_the_record) {
  options.preprocessing.size_px = 32;
  const FoundFile file = put(testing::jpeg_bytes(testing::gradient_image(1600, 1200, 1)));
  const Prepared prepared = prepare_it(file);
  const PreparedPicture& picture = std::get<PreparedPicture>(prepared);
  BOOST_TEST(picture.record.width_px == 1600u);
  BOOST_TEST(picture.record.height_px == 1200u);
  BOOST_TEST(picture.crop.width_px == 32);
}

// A vector is that of the picture in this collection, whether a run reads, knows the text, or does
// not.
BOOST_AUTO_TEST_CASE(the_crop_does_not_depend_on_whether_the_text_is_read) {
  options.preprocessing.size_px = 32;
  const FoundFile file = put(testing::jpeg_bytes(testing::noise_image(900, 700, 1)));
  TextReader reader(TextReaderOptions{"eng"});
  std::vector<std::vector<uint8_t>> crops;
  for (const bool keeps_text : {true, false}) {
    options.keeps_text = keeps_text;
    options.known_texts = {};
    std::vector<std::vector<uint8_t>> same;
    const auto take = [&](TextReader* by) {
      same.push_back(std::get<PreparedPicture>(prepare_it(file, false, by)).crop.rgb);
    };
    take(nullptr);
    take(&reader);
    options.known_texts = [](const ContentHash&) { return PictureText{}; };
    take(&reader);
    BOOST_TEST((same[0] == same[1]));
    BOOST_TEST((same[0] == same[2]));
    crops.push_back(same[0]);
  }
  BOOST_TEST((crops[0] != crops[1]));  // without text the JPEG is decoded at a reduced scale
}

BOOST_AUTO_TEST_CASE(what_cannot_be_used_is_skipped_with_its_reason) {
  const auto reason = [&](const FoundFile& file) {
    const Prepared prepared = prepare_it(file);
    return std::get<SkippedFile>(prepared).skip.reason;
  };
  BOOST_TEST((reason(put("no picture")) == SkipReason::NotAPicture));
  const std::string png = testing::png_bytes(testing::noise_image(50, 50, 1));
  BOOST_TEST((reason(put(png.substr(0, png.size() / 2))) == SkipReason::Damaged));
  options.limits.max_bytes = 100;
  BOOST_TEST((reason(put(png)) == SkipReason::TooManyBytes));
  options.limits.max_bytes = 1 << 20;
  options.limits.max_pixels = 2499;
  BOOST_TEST((reason(put(png)) == SkipReason::TooManyPixels));
  FoundFile file = put(png);
  file.size_bytes += 1;
  BOOST_TEST((reason(file) == SkipReason::Changed));
  std::filesystem::remove(path);
  BOOST_TEST((reason(file) == SkipReason::Vanished));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
