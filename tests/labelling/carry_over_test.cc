#include "lib/labelling/carry_over.h"

#include <boost/test/unit_test.hpp>

#include "lib/labelling/classifier.h"
#include "lib/labelling/kept_truth.h"
#include "tests/labelling/kept_run.h"

namespace zeroshelf {
namespace {

using testing::RunShelf;

ContentHash other(uint8_t number) {
  ContentHash hash{};
  hash.fill(number);
  return hash;
}

BOOST_FIXTURE_TEST_SUITE(carry_overs, RunShelf)

BOOST_AUTO_TEST_CASE(what_is_said_of_a_content_is_said_of_its_next_one) {
  const View view = open();
  const ContentHash first = view.record(0).content_hash;
  const ContentHash second = view.record(1).content_hash;
  KeptTruth truth;
  truth.say(first, "a", "/0");
  truth.say(second, "b", "/1");
  save_truth(view, "mine", truth);
  save_run(view, "kept", run("mix"));
  const Classifier learned =
      train_classifier(view, {"a", "b"}, {{0, 0}, {1, 1}, {2, 0}, {3, 1}, {4, 0}, {5, 1}}).classifier;
  save_classifier(view, "learned", learned);
  const Run before = load_run(view, "kept");

  const auto nothing = [](const ContentHash&) { return false; };
  carry_over(view.directory(), {{first, other(1)}, {other(8), other(9)}}, nothing);
  const KeptTruth now = load_truth(view, "mine");
  BOOST_TEST(*now.find(other(1)) == "a");
  BOOST_TEST(*now.find(second) == "b");
  BOOST_TEST(now.find(other(9)) == nullptr);
  const Run after = load_run(view, "kept");
  BOOST_TEST(after.entries.size() == before.entries.size());
  BOOST_TEST(after.find(content_key(first)) == nullptr);
  RunEntry moved = *after.find(content_key(other(1)));
  moved.key = content_key(first);
  BOOST_TEST(testing::same_entries(moved, *before.find(content_key(first))));
  const std::vector<uint64_t> marks = load_classifier(view, "learned").learned_from;
  BOOST_TEST(std::ranges::binary_search(marks, learned_mark(other(1))));
  BOOST_TEST(std::ranges::is_sorted(marks));

  // And back.
  carry_over(view.directory(), {{other(1), first}}, nothing);
  const Run back = load_run(view, "kept");
  BOOST_TEST(back.entries.size() == before.entries.size());
  BOOST_TEST(testing::same_entries(*back.find(content_key(first)), *before.find(content_key(first))));
  // A copy that still has the old content keeps its answer.
  carry_over(view.directory(), {{first, other(1)}}, [](const ContentHash&) { return true; });
  BOOST_TEST(load_run(view, "kept").entries.size() == before.entries.size() + 1);
}

BOOST_AUTO_TEST_CASE(what_is_damaged_stays) {
  const View view = open();
  view.attachments().put(kTruthKind, "odd", "no truth");
  carry_over(view.directory(), {{other(1), other(2)}}, [](const ContentHash&) { return false; });
  BOOST_TEST(*view.attachments().get(kTruthKind, "odd") == "no truth");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
