// Counts, histograms and orders against a plain loop over what classify() gives.

#include "query/serve/shelves.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <memory>
#include <tuple>

#include "tests/support/asked.h"
#include "tests/support/random_collection.h"

namespace zeroshelf::serve {
namespace {

struct Served : testing::RandomCollection {
  Served() {
    auto made = std::make_shared<Snapshot>(Snapshot{open(), {}, 1, 1});
    made->counts = made->view.counts();
    snapshot = made;
    const std::vector<Label> names = {{"a", {"a"}}, {"b", {"b"}}, {"c", {"c"}}, {"none", {"n"}}};
    labelling = labelling_of(LabelVectors(testing::random_matrix(random, 4)),
                             default_fusion(snapshot->view, "mix"), names);
  }

  Shelves shelves(std::optional<float> multi = {}) const {
    return {snapshot, labelling, multi, [] {}};
  }

  // Row -> shelf by the oracle.
  std::vector<Prediction> predictions(std::optional<float> threshold) const {
    Labelling with = labelling;
    with.threshold = threshold;
    return classify(snapshot->view, with);
  }

  SnapshotPointer snapshot;
  Labelling labelling;
};

BOOST_FIXTURE_TEST_SUITE(shelves_of_answers, Served)

void check(const Served& served, std::optional<float> threshold) {
  const std::vector<Prediction> answers = served.predictions(threshold);
  const Shelves shelves = served.shelves();
  for (const ShelfOrder order : {ShelfOrder::Score, ShelfOrder::Margin, ShelfOrder::Disagreement}) {
    const Shelves::Counts counts = shelves.count(threshold, 20, 9, order);
    for (size_t k = 0; k <= 4; ++k) {
      std::vector<Row> rows;
      for (Row row = 0; row < answers.size(); ++row) {
        if (!served.snapshot->view.is_live(row)) continue;
        const Prediction& it = answers[row];
        if (it.winner ? it.fused.label == k : k == 4) rows.push_back(row);
      }
      const auto key = [&](Row row) {
        const Prediction& it = answers[row];
        const bool agrees = !(it.text && it.text->label != it.image.label);
        const float first = order == ShelfOrder::Disagreement && agrees ? 1 : 0;
        const float second = order == ShelfOrder::Score ? -it.fused.score : it.margin();
        return std::tuple(first, second, row);
      };
      std::ranges::sort(rows, {}, key);
      const auto shelf = shelves.shelf(k < 4 ? ShelfLabel(static_cast<uint32_t>(k)) : std::nullopt,
                                       threshold, order);
      BOOST_TEST(*shelf == rows, boost::test_tools::per_element());
      BOOST_TEST((k < 4 ? counts.of_label[k] : counts.unsure) == rows.size());
      rows.resize(std::min<size_t>(rows.size(), 9));
      BOOST_TEST(counts.first[k] == rows, boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_CASE(as_a_plain_loop_has_them) {
  check(*this, {});
  check(*this, 0.4f);
  check(*this, 2.0f);
}

BOOST_AUTO_TEST_CASE(with_none_nobody_is_unsure) {
  labelling.none = 3;
  check(*this, 0.4f);
  BOOST_TEST(shelves().count(0.9f, 10, 0, ShelfOrder::Score).unsure == 0u);
}

BOOST_AUTO_TEST_CASE(histograms_know_no_threshold) {
  const Shelves all = shelves();
  const auto without = all.count({}, 20, 0, ShelfOrder::Score);
  const auto with = all.count(0.5f, 20, 0, ShelfOrder::Score);
  BOOST_TEST((without.histograms == with.histograms));
  std::vector<std::vector<uint64_t>> expected(4, std::vector<uint64_t>(20));
  const std::vector<Prediction> answers = predictions({});
  for (Row row = 0; row < answers.size(); ++row) {
    if (!snapshot->view.is_live(row)) continue;
    const Scored& answer = answers[row].answer();
    ++expected[answer.label][std::min<size_t>(static_cast<size_t>(answer.score * 20.0f), 19)];
  }
  BOOST_TEST((without.histograms == expected));
}

BOOST_AUTO_TEST_CASE(with_multi_a_picture_is_on_several_shelves) {
  const float least = 0.2f;
  const Shelves several = shelves(least);
  const auto counts = several.count({}, 10, 5, ShelfOrder::Score);
  const PictureCounts expected = count_pictures(snapshot->view, labelling, least);
  BOOST_TEST(counts.of_label == expected.of_label, boost::test_tools::per_element());
  BOOST_TEST(counts.unsure == expected.unanswered);
  for (uint32_t k = 0; k < 4; ++k)
    BOOST_TEST(several.shelf(k, {}, ShelfOrder::Score)->size() == counts.of_label[k]);
}

BOOST_AUTO_TEST_CASE(what_should_be_looked_at_first) {
  uint64_t candidates = 0;
  const std::vector<Row> rows = shelves().least_sure(ShelfOrder::Margin, 1000, candidates);
  BOOST_TEST(candidates == 600u);
  const std::vector<Prediction> answers = predictions({});
  BOOST_TEST(std::ranges::is_sorted(rows, {}, [&](Row row) { return answers[row].margin(); }));
  shelves().least_sure(ShelfOrder::Disagreement, 1000, candidates);
  BOOST_TEST(candidates < 600u);
}

BOOST_AUTO_TEST_CASE(a_scan_can_be_ended) {
  BOOST_CHECK_THROW(Shelves(snapshot, labelling, {}, [] { throw std::runtime_error("enough"); }),
                    std::runtime_error);
}

BOOST_AUTO_TEST_SUITE_END()

// Three pictures, each 60 times, added in another order than that of their paths.
struct Copies {
  Copies() {
    Manifest manifest;
    manifest.model_name = "random";
    manifest.model_fingerprint = "0";
    manifest.dimension = testing::kRandomDimension;
    manifest.logit_scale = 20;
    CollectionWriter writer = CollectionWriter::open_or_create(directory / "collection", manifest);
    const Matrix vectors = testing::random_matrix(random, 3);
    Batch added;
    for (int i = 0; i < 180; ++i) {
      NewPicture picture;
      picture.record.file.path = "/" + std::to_string(100 + 37 * i % 180);
      picture.record.content_hash[0] = static_cast<uint8_t>(i % 3);
      picture.image_vector.assign(vectors.row(static_cast<size_t>(i % 3)).begin(),
                                  vectors.row(static_cast<size_t>(i % 3)).end());
      added.added.push_back(std::move(picture));
    }
    writer.commit(added);
    snapshot = std::make_shared<Snapshot>(Snapshot{View::open(directory / "collection"), {}, 1, 1});
    const std::vector<Label> names = {{"a", {"a"}}, {"b", {"b"}}};
    labelling = labelling_of(LabelVectors(testing::random_matrix(random, 2)),
                             default_fusion(snapshot->view, "image"), names);
  }

  void expect_by_path(const std::vector<Row>& rows) const {
    const std::vector<Prediction> answers = classify(snapshot->view, labelling);
    BOOST_TEST(rows.size() >= 60u);
    for (size_t i = 1; i < rows.size(); ++i) {
      if (answers[rows[i]].fused.score != answers[rows[i - 1]].fused.score) continue;
      BOOST_TEST(snapshot->view.record(rows[i - 1]).file.path <
                 snapshot->view.record(rows[i]).file.path);
    }
  }

  std::mt19937 random{5};
  testing::TemporaryDirectory directory;
  SnapshotPointer snapshot;
  Labelling labelling;
};

BOOST_FIXTURE_TEST_CASE(equal_answers_go_by_path, Copies) {
  const Shelves best(snapshot, labelling, {}, [] {});
  const Shelves several(snapshot, labelling, 0.0f, [] {});
  for (const Shelves* shelves : {&best, &several}) {
    const auto counts = shelves->count({}, 10, 70, ShelfOrder::Score);
    for (uint32_t k = 0; k < 2; ++k) {
      if (counts.of_label[k] == 0) continue;
      const auto all = shelves->shelf(k, {}, ShelfOrder::Score);
      expect_by_path(*all);
      const std::vector<Row> first(all->begin(),
                                   all->begin() + static_cast<ptrdiff_t>(counts.first[k].size()));
      BOOST_TEST(counts.first[k] == first, boost::test_tools::per_element());
    }
  }
  uint64_t candidates = 0;
  expect_by_path(best.least_sure(ShelfOrder::Margin, 100, candidates));
}

}  // namespace
}  // namespace zeroshelf::serve
