// The answers to look at first.

#include "lib/labelling/review.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "tests/labelling/kept_run.h"

namespace zeroshelf {
namespace {

BOOST_FIXTURE_TEST_SUITE(reviews, testing::RunShelf)

BOOST_AUTO_TEST_CASE(review_lists_the_smallest_margins_first) {
  const View collection = open();
  const Run kept = run("mix");
  const auto predictions =
      classify(collection, labelling_of(vectors, default_fusion(collection, "mix")));
  std::vector<std::pair<float, Row>> expected;
  for (Row row = 0; row < 200; ++row) expected.emplace_back(predictions[row].margin(), row);
  std::sort(expected.begin(), expected.end());
  const Review found = review(collection, kept, ReviewBy::Margin, 15);
  BOOST_TEST(found.candidates == 200u);
  BOOST_REQUIRE_EQUAL(found.items.size(), 15u);
  for (size_t i = 0; i < 15; ++i)
    BOOST_TEST(found.items[i].path == "/" + std::to_string(expected[i].second));
}

BOOST_AUTO_TEST_CASE(review_of_disagreement_lists_only_that) {
  const View collection = open();
  const Review found = review(collection, run("mix"), ReviewBy::Disagreement, 1000);
  BOOST_TEST(found.items.size() == found.candidates);
  BOOST_TEST(found.candidates > 20u);
  BOOST_TEST(found.candidates < 100u);
  for (const ReviewItem& item : found.items)
    BOOST_TEST((item.entry.text_label && *item.entry.text_label != item.entry.image_label));
  // Pictures without an answer are no candidates.
  BOOST_TEST(review(collection, run("text"), ReviewBy::Margin, 1000).candidates == 100u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
