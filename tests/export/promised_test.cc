// Which pictures an export with a promise takes, and what it says of that.

#include "lib/export/promised.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <vector>

#include "lib/labelling/classifier.h"
#include "lib/util/error.h"
#include "tests/programs/drawn_collection.h"

namespace zeroshelf {
namespace {

// Scores fall with the row; the last hundred of 400 answers are wrong every second time.
struct Answered : testing::DrawnCollection {
  static constexpr Row kRows = 400;

  Answered() : DrawnCollection(kRows) {
    for (Row row = 0; row < kRows; ++row) {
      Prediction one;
      one.winner = Source::Image;
      one.fused = {static_cast<uint32_t>(row % kLabels), 1 - static_cast<float>(row) / kRows};
      predictions.push_back(one);
    }
  }

  static bool is_wrong(Row row) { return row >= 300 && row % 2 == 1; }
  KnownPicture judged_picture(Row row) const {
    return {row, static_cast<uint32_t>((row + is_wrong(row)) % kLabels)};
  }
  // Every so many of them.
  JudgedPictures every(Row step, Row from = 0) const {
    JudgedPictures judged;
    for (Row row = from; row < kRows; row += step) judged.pictures.push_back(judged_picture(row));
    return judged;
  }
  Bands all_sure() const { return choose_bands(open(), kLabels, predictions, {}); }

  std::vector<Prediction> predictions;
};

BOOST_FIXTURE_TEST_SUITE(promised_exports, Answered)

BOOST_AUTO_TEST_CASE(the_surest_are_sure_and_what_was_judged_stands_where_it_was_judged) {
  Bands bands = all_sure();
  const Promised promised = keep_promise(predictions, every(2, 1), {0.05}, bands);
  BOOST_REQUIRE(promised.threshold);
  BOOST_TEST(promised.candidates == 400u);
  BOOST_TEST(promised.judged == 200u);
  BOOST_TEST(promised.wrong == 50u);
  uint64_t sure = 0;
  uint64_t wrong = 0;
  for (Row row = 0; row < kRows; ++row) {
    const bool is_judged = row % 2 == 1;
    const bool is_above = predictions[row].answer().score >= *promised.threshold;
    const bool expected = is_judged ? !is_wrong(row) : is_above;
    BOOST_TEST((bands.of_row[row] == (expected ? Band::Sure : Band::Unsure)));
    sure += expected;
    wrong += expected && is_wrong(row);
  }
  BOOST_TEST(bands.sure == sure);
  BOOST_TEST(bands.unsure == kRows - sure);
  BOOST_TEST(promised.exported == sure);
  BOOST_TEST(sure >= 280u);
  BOOST_TEST(static_cast<double>(wrong) <= 0.05 * static_cast<double>(sure));
  BOOST_TEST(promised.bound <= 0.05);
}

BOOST_AUTO_TEST_CASE(too_few_judged_leave_only_what_was_judged_right) {
  Bands bands = all_sure();
  const Promised promised = keep_promise(predictions, every(40), {0.01}, bands);
  BOOST_TEST(!promised.threshold.has_value());
  BOOST_TEST(promised.exported == 10u);
  BOOST_TEST(bands.sure == 10u);
  BOOST_TEST(promised.needed > 10u);
  BOOST_TEST(promised.bound == 0.0);
}

BOOST_AUTO_TEST_CASE(a_sample_of_the_surest_promises_nothing) {
  JudgedPictures judged;
  for (Row row = 0; row < 80; ++row) judged.pictures.push_back(judged_picture(row));
  Bands bands = all_sure();
  BOOST_CHECK_EXCEPTION(keep_promise(predictions, judged, {0.05}, bands), Error,
                        [](const Error& error) {
                          return error.code() == ErrorCode::InvalidArgument &&
                                 error.cause().find("80 of 80") != std::string::npos;
                        });
}

BOOST_AUTO_TEST_CASE(the_least_sure_are_a_careful_sample_and_that_is_said) {
  JudgedPictures judged = every(3);
  for (Row row = 200; row < kRows; ++row) {
    if (row % 3 != 0) judged.pictures.push_back(judged_picture(row));
  }
  Bands bands = all_sure();
  const Promised promised = keep_promise(predictions, judged, {0.05}, bands);
  BOOST_TEST(promised.leans_to_unsure);
  BOOST_TEST(told_promise(promised).back().find("less sure") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(labels_that_are_none_count_as_wrong) {
  const View collection = open();
  Truth truth;
  for (Row row = 0; row < 30; ++row)
    truth[collection.record(row).file.path] = row % 3 == 0 ? "a" : "zebra";
  const JudgedPictures judged = judged_pictures(collection, labels, truth);
  BOOST_TEST(judged.pictures.size() == 30u);
  BOOST_TEST(judged.other_labels.at("zebra") == 20u);
  for (const KnownPicture& picture : judged.pictures)
    BOOST_TEST((picture.label == 0) == (picture.row % 3 == 0));
  BOOST_CHECK_THROW(judged_pictures(collection, labels, Truth()), Error);
  BOOST_CHECK_THROW(judged_pictures(collection, labels, KeptTruth()), Error);

  KeptTruth kept;
  kept.say(collection.record(4).content_hash, "b", "/4");
  kept.say(collection.record(5).content_hash, "zebra", "/5");
  BOOST_TEST(judged_pictures(collection, labels, kept).pictures.size() == 2u);
}

BOOST_AUTO_TEST_CASE(pictures_that_a_classifier_was_learned_from_say_nothing) {
  const View collection = open();
  JudgedPictures judged = every(4);
  std::vector<uint64_t> learned;
  for (Row row = 0; row < 200; ++row)
    learned.push_back(learned_mark(collection.record(row).content_hash));
  std::ranges::sort(learned);
  BOOST_TEST(leave_out_learned(collection, learned, judged) == 50u);
  BOOST_TEST(judged.pictures.size() == 50u);
  for (const KnownPicture& picture : judged.pictures) BOOST_TEST(picture.row >= 200u);
}

BOOST_AUTO_TEST_CASE(the_evidence_is_json) {
  Bands bands = all_sure();
  const Promised promised = keep_promise(predictions, every(2), {0.05}, bands);
  const auto json = nlohmann::json::parse("{" + promised.members() + "}");
  BOOST_TEST(json["at_most_wrong"] == 0.05);
  BOOST_TEST(json["confidence"] == 0.95);
  BOOST_TEST(json["judged"] == 200);
  BOOST_TEST(json["exported"] == promised.exported);
  BOOST_TEST(json["wrong_above"] == promised.wrong_above);
  BOOST_TEST(promise_file_of("/a/b.csv") == "/a/b.csv.promise.json");
  BOOST_TEST(promise_file_of("/a/b/") == "/a/b.promise.json");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
