// Runs: they come back, and they stay with their pictures.

#include "lib/labelling/run.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "lib/labelling/run_diff.h"
#include "lib/util/error.h"
#include "tests/labelling/kept_run.h"

namespace zeroshelf {
namespace {

using testing::same_entries;

BOOST_FIXTURE_TEST_SUITE(runs, testing::RunShelf)

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
      BOOST_REQUIRE(same_entries(back.entries[i], kept.entries[i]));
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
    BOOST_TEST((same_entries(decode_run(encode_run(many), "x").entries.at(0), entry)));
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
  BOOST_TEST((same_entries(*before.find(content_key(collection.record(row).content_hash)), of_50)));
  const RunDiff diff = diff_runs(collection, before, before);
  BOOST_TEST(diff.same == 160u);
  BOOST_TEST(diff.in_neither == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
