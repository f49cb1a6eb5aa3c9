// Runs: they come back, they stay with their pictures, and they are compared and reviewed.

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>

#include "lib/labelling/review.h"
#include "lib/labelling/run.h"
#include "lib/labelling/run_diff.h"
#include "lib/util/error.h"
#include "tests/programs/drawn_collection.h"
#include "tests/support/asked.h"

namespace zeroshelf {
namespace {

using testing::DrawnCollection;

bool same(const RunEntry& a, const RunEntry& b) {
  return a.key == b.key && a.label == b.label && a.source == b.source &&
         a.image_label == b.image_label && a.text_label == b.text_label && a.score == b.score &&
         a.margin == b.margin;
}

struct Shelf : DrawnCollection {
  Shelf() : DrawnCollection(200) {}

  Run run(const std::string& rule) const {
    const View collection = open();
    const Fusion fusion = default_fusion(collection, rule);
    return make_run(collection, labelling_of(vectors, fusion, labels));
  }
};

BOOST_FIXTURE_TEST_SUITE(runs, Shelf)

BOOST_AUTO_TEST_CASE(a_run_comes_back_as_it_was) {
  for (const char* rule : {"text", "mix"}) {
    const Run kept = run(rule);
    BOOST_TEST(kept.entries.size() == 200u);
    save_run(open(), "mine", kept);
    const Run back = load_run(open(), "mine");
    BOOST_TEST(back.fusion == rule);
    BOOST_TEST(back.labels[1].prompts.at(0) == "b");
    BOOST_TEST(back.settings == kept.settings);
    BOOST_REQUIRE_EQUAL(back.entries.size(), kept.entries.size());
    for (size_t i = 0; i < kept.entries.size(); ++i)
      BOOST_REQUIRE(same(back.entries[i], kept.entries[i]));
  }
}

BOOST_AUTO_TEST_CASE(a_run_takes_28_bytes_a_picture) {
  Run empty = run("mix");
  const size_t whole = encode_run(empty).size();
  const size_t pictures = empty.entries.size();
  empty.entries.clear();
  BOOST_TEST(whole - encode_run(empty).size() <= 28 * pictures + 1);
}

BOOST_AUTO_TEST_CASE(many_labels_are_kept_in_more_bytes) {
  for (const size_t count : {254u, 255u, 300u, 70'000u}) {
    Run many;
    for (size_t i = 0; i < count; ++i) many.labels.push_back({std::to_string(i), {}});
    RunEntry entry;
    entry.label = static_cast<uint32_t>(count - 1);
    entry.image_label = static_cast<uint32_t>(count - 1);
    entry.source = Source::Image;
    many.entries.push_back(entry);
    BOOST_TEST((same(decode_run(encode_run(many), "x").entries.at(0), entry)));
  }
}

BOOST_AUTO_TEST_CASE(damaged_bytes_are_refused) {
  Run small = run("mix");
  small.entries.resize(5);
  const std::string bytes = encode_run(small);
  const auto refused = [](const std::string& damaged) {
    BOOST_REQUIRE_THROW(decode_run(damaged, "x"), Error);
  };
  for (size_t size = 0; size < bytes.size(); ++size) refused(bytes.substr(0, size));
  refused(bytes + "x");
  std::swap(small.entries[0], small.entries[1]);
  refused(encode_run(small));
  std::swap(small.entries[0], small.entries[1]);
  small.entries[2].label = 3;
  refused(encode_run(small));
  small.entries[2].label = 0;
  small.entries[2].margin = std::nanf("");
  refused(encode_run(small));
  // Any flipped bit is refused or gives a run that can be kept again as it is.
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    try {
      BOOST_REQUIRE(encode_run(decode_run(flipped, "x")) == flipped);
    } catch (const Error&) {
    }
  }
}

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

// Rows are renumbered, files move, pictures come and go: entries stay with their contents.
BOOST_AUTO_TEST_CASE(a_run_outlives_compaction_moves_and_removals) {
  const Run before = run("mix");
  const RunEntry of_50 = *before.find(content_key(open().record(50).content_hash));
  {
    CollectionWriter writer = CollectionWriter::open_existing(directory / "collection");
    Batch batch;
    for (Row row = 0; row < 40; ++row) batch.removed.push_back(row);
    batch.moved.push_back({50, {"/moved", 1, 1}});
    NewPicture added;
    added.record.file.path = "/new";
    added.record.content_hash[31] = 1;
    added.image_vector = unit_vector();
    batch.added.push_back(added);
    writer.commit(batch);
    writer.compact();
  }
  const View collection = open();
  const Row row = *collection.find_path("/moved");
  BOOST_TEST(row != 50u);
  BOOST_TEST((same(*before.find(content_key(collection.record(row).content_hash)), of_50)));
  const RunDiff diff = diff_runs(collection, before, before);
  BOOST_TEST(diff.same == 160u);
  BOOST_TEST(diff.in_neither == 1u);
}

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
