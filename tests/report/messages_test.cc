// What the programs say to other programs: the members of each line, their order, their numbers.

#include "lib/report/messages.h"

#include <boost/test/unit_test.hpp>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace zeroshelf {
namespace {

std::string json(const auto& value) {
  std::string text;
  JsonWriter(text).write(value);
  return text;
}

BOOST_AUTO_TEST_SUITE(messages)

BOOST_AUTO_TEST_CASE(numbers_are_the_shortest_that_read_back) {
  BOOST_TEST(json(0.1f) == "0.1");
  BOOST_TEST(json(0.1) == "0.1");
  BOOST_TEST(json(1.0f) == "1");
  BOOST_TEST(json(int64_t{-5}) == "-5");
  BOOST_TEST(json(UINT64_MAX) == "18446744073709551615");
  for (const float value : {0.3333333433f, -1.0f, 3.4e38f, 1e-45f, 0.0f})
    BOOST_TEST(nlohmann::json::parse(json(value)).get<float>() == value);
  BOOST_TEST(json(Decimal{2.0 / 3, 2}) == "0.67");
  BOOST_TEST(json(Rounded{2.0 / 3, 6}) == "0.666667");
  BOOST_TEST(json(Rounded{0.5, 6}) == "0.5");
}

BOOST_AUTO_TEST_CASE(what_is_no_number_and_what_is_absent_are_null) {
  BOOST_TEST(json(std::numeric_limits<float>::quiet_NaN()) == "null");
  BOOST_TEST(json(std::numeric_limits<double>::infinity()) == "null");
  BOOST_TEST(json(std::optional<int>()) == "null");
  BOOST_TEST(json(std::optional<int>(3)) == "3");
}

BOOST_AUTO_TEST_CASE(values_may_lie_in_each_other) {
  BOOST_TEST(json(std::vector<std::vector<int>>{{}, {1, 2}, {3}}) == "[[],[1,2],[3]]");
  BOOST_TEST(json(std::vector<std::string>{"a\"", "{", "["}) == "[\"a\\\"\",\"{\",\"[\"]");
  BOOST_TEST(json(true) == "true");
}

BOOST_AUTO_TEST_CASE(a_line_begins_with_its_type_and_ends_with_the_lines_end) {
  BOOST_TEST(json_line(message::Count{"cat", 3, 0.25}) ==
             "{\"type\":\"count\",\"label\":\"cat\",\"pictures\":3,\"share\":0.25}\n");
  BOOST_TEST(json_line(message::Count{{}, 1, 1.0 / 3}) ==
             "{\"type\":\"count\",\"label\":null,\"pictures\":1,\"share\":0.333333}\n");
  BOOST_TEST(json_line(message::Summary{{{"same", 1}, {"moved", 2}}}) ==
             "{\"type\":\"summary\",\"same\":1,\"moved\":2}\n");
}

// The same word has the same members wherever it is told.
BOOST_AUTO_TEST_CASE(a_words_box_is_an_array_everywhere) {
  const std::vector<Word> words = {{"cat", 0.875f, {1, 2, 30, 4}}};
  const std::string word = "{\"text\":\"cat\",\"confidence\":0.875,\"box\":[1,2,30,4]}";
  BOOST_TEST(json_line(message::Ocr{"/a", words}) ==
             "{\"type\":\"ocr\",\"path\":\"/a\",\"text\":\"cat\",\"words\":[" + word + "]}\n");
  BOOST_TEST(json_line(message::Metadata{"/a", 5, -6, "00ff", 7, 8, words}) ==
             "{\"path\":\"/a\",\"size_bytes\":5,\"mtime_ns\":-6,\"sha256\":\"00ff\",\"width\":7,"
             "\"height\":8,\"words\":[" +
                 word + "]}\n");
  message::Hit hit;
  hit.words.push_back({words[0].text, "car", 1, words[0].box});
  BOOST_TEST(nlohmann::json::parse(json_line(hit))["words"][0]["box"] ==
             (nlohmann::json{1, 2, 30, 4}));
}

BOOST_AUTO_TEST_CASE(a_hit_has_its_members_in_their_order) {
  message::Hit hit;
  hit.rank = 1;
  hit.path = "/a\xff";
  hit.fits = false;
  hit.score = 2.5f;
  hit.found_by = "picture";
  hit.image_score = 0.25f;
  hit.similar = {"/b"};
  BOOST_TEST(json_line(hit) ==
             "{\"type\":\"hit\",\"rank\":1,\"path\":\"/a\ufffd\",\"path_base64\":\"L2H/\",\"fits\":"
             "false,\"score\":2.5,\"found_by\":\"picture\",\"image_score\":0.25,"
             "\"text_score\":null,\"image_nats\":"
             "0,\"text_nats\":0,\"letter_nats\":0,\"words\":[],\"similar\":[{\"path\":\"/b\"}],"
             "\"ocr_text\":\"\"}\n");
}

BOOST_AUTO_TEST_CASE(an_embedding_has_only_what_was_asked_for) {
  const std::vector<float> vector = {0.5f, -0.25f};
  message::Embedding line;
  line.text = "a cat";
  line.embedding = vector;
  BOOST_TEST(json_line(line) ==
             "{\"type\":\"text\",\"text\":\"a cat\",\"embedding\":[0.5,-0.25]}\n");
  line.path = "/a";
  line.embedding.reset();
  BOOST_TEST(json_line(line) == "{\"type\":\"image\",\"path\":\"/a\"}\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
