// Which pictures an export takes.

#include "lib/export/bands.h"

#include <boost/test/unit_test.hpp>
#include <vector>

#include "tests/programs/drawn_collection.h"

namespace zeroshelf {
namespace {

// Labels by turns, scores that grow with the row; every tenth picture has no answer.
struct Answered : testing::DrawnCollection {
  Answered() : DrawnCollection(60) {
    for (uint32_t row = 0; row < 60; ++row) {
      Prediction one;
      if (row % 10 != 9) one.winner = Source::Image;
      one.fused = {row % kLabels, static_cast<float>(row) / 60};
      predictions.push_back(one);
    }
  }
  Bands bands(const BandOptions& options) const {
    return choose_bands(open(), kLabels, predictions, options);
  }
  std::vector<Prediction> predictions;
};

BOOST_FIXTURE_TEST_SUITE(export_bands, Answered)

BOOST_AUTO_TEST_CASE(without_limits_all_answers_are_sure) {
  const Bands all = bands({});
  BOOST_TEST(all.sure == 54u);
  BOOST_TEST(all.unsure == 6u);
  BOOST_TEST(all.above_max == 0u);
  BOOST_TEST((all.of_row[9] == Band::Unsure));
}

BOOST_AUTO_TEST_CASE(low_scores_are_unsure_and_other_labels_left_out) {
  const Bands some = bands({0.5f, {}, {1}});
  for (Row row = 0; row < 60; ++row) {
    const bool wanted = row % 3 == 1 && row % 10 != 9;
    const Band expected = !wanted ? Band::LeftOut : row < 30 ? Band::Unsure : Band::Sure;
    BOOST_TEST((some.of_row[row] == expected));
  }
}

BOOST_AUTO_TEST_CASE(of_each_label_the_best_are_taken) {
  const Bands few = bands({{}, 2, {}});
  BOOST_TEST(few.sure == 6u);
  BOOST_TEST(few.above_max == 48u);
  for (const Row row : {54u, 57u, 55u, 58u, 53u, 56u}) BOOST_TEST((few.of_row[row] == Band::Sure));
}

BOOST_AUTO_TEST_CASE(a_validation_part_is_of_each_label_and_follows_from_the_contents) {
  const Bands all = bands({});
  const std::vector<bool> part = choose_validation(open(), kLabels, predictions, all, 0.25);
  std::vector<int> of_label(kLabels);
  for (Row row = 0; row < 60; ++row) {
    if (!part[row]) continue;
    BOOST_TEST((all.of_row[row] == Band::Sure));
    ++of_label[row % kLabels];
  }
  for (const int count : of_label) BOOST_TEST((count == 4 || count == 5));
  BOOST_TEST((choose_validation(open(), kLabels, predictions, all, 0.25) == part));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
