// What is said of two runs.

#include "lib/labelling/run_diff.h"

#include <boost/test/unit_test.hpp>
#include <map>

#include "tests/labelling/kept_run.h"

namespace zeroshelf {
namespace {

BOOST_FIXTURE_TEST_SUITE(run_diffs, testing::RunShelf)

BOOST_AUTO_TEST_CASE(diff_counts_what_the_predictions_say) {
  const View collection = open();
  const Run before = run("image");
  const Run after = run("mix");
  const RunDiff diff = diff_runs(collection, before, after);
  const auto old = classify(collection, labelling_of(vectors, default_fusion(collection, "image")));
  const auto now = classify(collection, labelling_of(vectors, default_fusion(collection, "mix")));
  std::map<std::pair<std::string, std::string>, uint64_t> expected;
  std::vector<std::string> moved;
  for (Row row = 0; row < 200; ++row) {
    const uint32_t from = old[row].answer().label;
    const uint32_t to = now[row].answer().label;
    ++expected[{labels[from].name, labels[to].name}];
    if (from != to) moved.push_back("/" + std::to_string(row));
  }
  std::ranges::sort(moved);
  BOOST_REQUIRE(!moved.empty());
  BOOST_REQUIRE_EQUAL(diff.moved.size(), moved.size());
  for (size_t i = 0; i < moved.size(); ++i) BOOST_TEST(diff.moved[i].path == moved[i]);
  BOOST_TEST(diff.same == 200 - moved.size());
  BOOST_REQUIRE_EQUAL(diff.transitions.size(), expected.size());
  for (const Transition& it : diff.transitions)
    BOOST_TEST((expected.at({*it.from, *it.to}) == it.pictures));
  for (size_t i = 1; i < diff.transitions.size(); ++i)
    BOOST_TEST(diff.transitions[i - 1].pictures >= diff.transitions[i].pictures);
}

BOOST_AUTO_TEST_CASE(labels_are_compared_by_name_and_no_answer_is_one_of_them) {
  const View collection = open();
  const Run before = run("text");  // half have no answer
  Run after = before;
  std::swap(after.labels[0], after.labels[1]);
  for (RunEntry& entry : after.entries)
    if (entry.label && *entry.label < 2) entry.label = 1 - *entry.label;
  BOOST_TEST(diff_runs(collection, before, after).moved.empty());
  after.labels[0].name = "renamed";
  const RunDiff diff = diff_runs(collection, before, after);
  for (const Transition& it : diff.transitions) {
    if (it.is_move()) BOOST_TEST(*it.to == "renamed");
    if (!it.from) BOOST_TEST(it.pictures == 100u);
  }
  BOOST_TEST(!diff.moved.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
