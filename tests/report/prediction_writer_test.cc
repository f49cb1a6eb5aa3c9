// One prediction in every format.

#include "lib/report/prediction_writer.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

namespace zeroshelf {
namespace {

struct Line {
  std::vector<Label> labels = {{"cat", {}}, {"a \"dog\"", {}}};
  PictureRecord record;
  Prediction prediction;
  std::vector<Word> words = {{"woof", 0.5f, {}}};

  Line() {
    record.file.path = "/a,b.png";
    record.text_confidence = 0.5f;
    prediction.winner = Source::Text;
    prediction.fused = {1, 0.75f};
    prediction.runner_up = Scored{0, 0.25f};
    prediction.image = {{0, 0.5f}, 0.125f};
    prediction.text = SideAnswer{{1, 0.75f}, 0.5f};
  }

  std::string in(OutputFormat format, const std::vector<Scored>* above = nullptr) const {
    std::string out;
    prediction_writer(format, labels)->append(out, {record, prediction, words, above});
    return out;
  }
};

BOOST_FIXTURE_TEST_SUITE(prediction_writers, Line)

BOOST_AUTO_TEST_CASE(json_has_the_answer_and_both_sides) {
  BOOST_TEST(in(OutputFormat::Jsonl) ==
             "{\"type\":\"prediction\",\"path\":\"/a,b.png\",\"label\":\"a \\\"dog\\\"\",\"score\":"
             "0.75,\"source\":\"text\",\"margin\":0.5,\"runner_up\":{\"label\":\"cat\",\"score\":"
             "0.25},\"image\":{\"label\":\"cat\",\"score\":0.5,\"margin\":0.125},\"text\":{\"label\":"
             "\"a \\\"dog\\\"\",\"score\":0.75,\"margin\":0.5},\"ocr\":{\"text\":\"woof\",\"words\":"
             "1,\"confidence\":0.5}}\n");
}

BOOST_AUTO_TEST_CASE(a_veto_is_shown_with_its_score_in_every_format) {
  labels = {{"cat", {"a cat"}}, {"people", {"a person", "- a statue, of stone"}}};
  words.clear();
  BOOST_TEST(in(OutputFormat::Jsonl).find("veto") == std::string::npos);
  BOOST_TEST(in(OutputFormat::Csv).ends_with(",,,,,\r\n"));
  prediction.veto = Vetoed{1, 1, 0.125f, false};
  BOOST_TEST(in(OutputFormat::Jsonl)
                 .find(R"("veto":{"label":"people","prompt":"a statue, of stone","score":0.125,"taken":false})") !=
             std::string::npos);
  BOOST_TEST(in(OutputFormat::Csv).ends_with(",people,\"a statue, of stone\",0.125,false\r\n"));
  BOOST_TEST(in(OutputFormat::Table).ends_with(" (people: a statue, of stone 0.125)\n"));
  prediction.veto = Vetoed{1, 1, 0.75f, true};
  BOOST_TEST(in(OutputFormat::Jsonl).find(R"("score":0.75,"taken":true)") != std::string::npos);
  BOOST_TEST(in(OutputFormat::Csv).ends_with(",0.75,true\r\n"));
  BOOST_TEST(in(OutputFormat::Table).ends_with(" (not people: a statue, of stone 0.750)\n"));
  const std::string header = prediction_writer(OutputFormat::Csv, labels)->header();
  BOOST_TEST(header.ends_with(",path_base64,veto_label,veto,veto_score,veto_taken\r\n"));
  BOOST_TEST(std::ranges::count(header, ',') == std::ranges::count(in(OutputFormat::Csv), ',') - 2);
}

BOOST_AUTO_TEST_CASE(no_answer_and_no_text_are_null) {
  prediction.winner.reset();
  prediction.text.reset();
  words.clear();
  BOOST_TEST(in(OutputFormat::Jsonl) ==
             "{\"type\":\"prediction\",\"path\":\"/a,b.png\",\"label\":null,\"score\":null,"
             "\"source\":null,\"margin\":null,\"runner_up\":null,\"image\":{\"label\":\"cat\","
             "\"score\":0.5,\"margin\":0.125},\"text\":null,\"ocr\":null}\n");
  BOOST_TEST(in(OutputFormat::NulPaths) == "");
  BOOST_TEST(in(OutputFormat::Csv) == "\"/a,b.png\",,,,cat,0.5,,,,,,,,\r\n");
}

BOOST_AUTO_TEST_CASE(several_labels_follow_in_their_order) {
  const std::vector<Scored> above = {{1, 0.75f}, {0, 0.25f}};
  BOOST_TEST(in(OutputFormat::Jsonl, &above)
                 .ends_with(",\"labels\":[{\"label\":\"a \\\"dog\\\"\",\"score\":0.75},{\"label\":"
                            "\"cat\",\"score\":0.25}]}\n"));
  const std::vector<Scored> none;
  BOOST_TEST(in(OutputFormat::Jsonl, &none).ends_with(",\"labels\":[]}\n"));
  BOOST_TEST(in(OutputFormat::NulPaths, &none) == "");
}

BOOST_AUTO_TEST_CASE(paths_are_bytes_and_csv_cells_are_quoted) {
  record.file.path = "/\xff\n";
  BOOST_TEST((in(OutputFormat::NulPaths) == std::string("/\xff\n\0", 4)));
  BOOST_TEST(in(OutputFormat::Csv).starts_with("\"/\xef\xbf\xbd\n\",\"a \"\"dog\"\"\",0.75,text,cat,0.5,"));
}

BOOST_AUTO_TEST_CASE(a_table_line_is_one_line_and_shows_both_sides) {
  record.file.path = "/x\ny";
  const std::string line = in(OutputFormat::Table);
  BOOST_TEST(line == "a \"dog\" 0.750  text   cat      0.500 a \"dog\"  0.750 /x\\ny\n");
}

BOOST_AUTO_TEST_CASE(counts_are_told_in_the_order_of_the_labels) {
  PictureCounts counts(2);
  BOOST_TEST(count_summary(labels, counts) == "no pictures");
  counts.of_label = {0, 1234};
  counts.unanswered = 1;
  BOOST_TEST(count_summary(labels, counts) == "a \"dog\" 1,234, no answer 1");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
