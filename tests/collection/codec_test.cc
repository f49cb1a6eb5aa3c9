#include <boost/test/unit_test.hpp>

#include <cmath>
#include <random>

#include "lib/collection/codec.h"
#include "lib/util/error.h"
#include "tests/collection/shelf.h"

namespace zeroshelf {
namespace {

BOOST_AUTO_TEST_SUITE(codec_values)

BOOST_AUTO_TEST_CASE(records_words_and_skips_read_back) {
  const NewPicture picture = testing::picture("/a\xff\n.jpg", 9);
  const PictureRecord record = codec::decode_record(codec::encode_record(picture.record));
  BOOST_TEST((record.file == picture.record.file));
  BOOST_TEST((record.content_hash == picture.record.content_hash));
  BOOST_TEST(record.width_px == 9u);
  BOOST_TEST(record.turned_degrees == 0);
  BOOST_TEST(record.unread_script == "");
  const std::vector<Word> words = codec::decode_words(codec::encode_words(picture.words));
  BOOST_TEST(words.size() == 2u);
  BOOST_TEST(words[1].text == "9");
  BOOST_TEST(words[1].box.height == 8);
  const SkippedFile skip = codec::decode_skip(
      "/x", codec::encode_skip({testing::stamp("/x"), {SkipReason::Damaged, "why"}}));
  BOOST_TEST((skip.skip.reason == SkipReason::Damaged));
  BOOST_TEST(skip.skip.detail == "why");
}

BOOST_AUTO_TEST_CASE(a_record_says_how_its_text_lies_only_where_that_is_out_of_the_ordinary) {
  PictureRecord record = testing::picture("/a.jpg", 9).record;
  const std::string plain = codec::encode_record(record);
  BOOST_TEST(plain[0] == 1);
  record.turned_degrees = 270;
  record.unread_script = "Cyrillic";
  const std::string bytes = codec::encode_record(record);
  BOOST_TEST(bytes[0] == 2);
  BOOST_TEST(codec::decode_record(bytes).turned_degrees == 270);
  BOOST_TEST(codec::decode_record(bytes).unread_script == "Cyrillic");
  std::string bad = bytes;
  bad[plain.size()] = 4;
  BOOST_CHECK_THROW(codec::decode_record(bad), Error);
}

BOOST_AUTO_TEST_CASE(damaged_values_are_refused_and_never_crash) {
  NewPicture picture = testing::picture("/a.jpg", 9);
  picture.record.turned_degrees = 90;
  std::mt19937 random(99);
  const auto attack = [&](const std::string& good, const auto& decode) {
    for (size_t size = 0; size < good.size(); ++size)
      BOOST_CHECK_THROW(decode(good.substr(0, size)), Error);
    for (int round = 0; round < 3000; ++round) {
      std::string bad = good;
      for (unsigned i = 0; i <= random() % 3; ++i)
        bad[random() % bad.size()] = static_cast<char>(random());
      try {
        decode(bad);
      } catch (const Error& error) {
        BOOST_TEST((error.code() == ErrorCode::Corruption));
      }
    }
  };
  attack(codec::encode_record(picture.record),
         [](const std::string& bytes) { codec::decode_record(bytes); });
  attack(codec::encode_words(picture.words),
         [](const std::string& bytes) { codec::decode_words(bytes); });
  attack(codec::encode_rows({1, 2, 300}),
         [](const std::string& bytes) { codec::decode_rows(bytes); });
  attack(codec::encode_state({5, 10, 4, 2, 1, 3}),
         [](const std::string& bytes) { codec::decode_state(bytes); });
}

BOOST_AUTO_TEST_CASE(values_that_nothing_writes_are_refused) {
  const auto refused = [](const std::string& bytes, const auto& decode) {
    BOOST_CHECK_EXCEPTION(decode(bytes), Error,
                          [](const Error& error) { return error.code() == ErrorCode::Corruption; });
  };
  refused(codec::encode_words({{"word", std::nanf(""), {1, 2, 3, 4}}}), codec::decode_words);
  refused(codec::encode_state({5, uint64_t{1} << 60, 4, 2, 1, 3}), codec::decode_state);
  refused(codec::encode_state({5, 10, 4, 2, 1, 6}), codec::decode_state);
  for (const int reason : {0, 12, 255}) {
    refused(codec::encode_skip({testing::stamp("/x"), {static_cast<SkipReason>(reason), "why"}}),
            [](const std::string& bytes) { return codec::decode_skip("/x", bytes); });
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
