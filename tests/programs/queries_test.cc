#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>
#include <vector>

#include "lib/collection/collection.h"
#include "lib/labelling/classify.h"
#include "lib/search/search.h"
#include "lib/util/error.h"
#include "lib/util/random.h"
#include "tests/support/asked.h"
#include "tests/support/random_collection.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

using testing::kRandomDimension;
using testing::random_matrix;
using testing::RandomCollection;
using testing::similarities;

BOOST_FIXTURE_TEST_SUITE(queries, RandomCollection)

BOOST_AUTO_TEST_CASE(search_agrees_with_sorting_everything) {
  const View collection = open();
  for (const SearchSpace space : {SearchSpace::Picture, SearchSpace::Text}) {
    const Matrix query = random_matrix(random, 1);
    std::vector<std::pair<float, Row>> expected;
    for (Row row = 0; row < 700; ++row) {
      if (!collection.is_live(row)) continue;
      const auto text = collection.text_index(row);
      if (space == SearchSpace::Text && !text) continue;
      const float score = space == SearchSpace::Text
                              ? similarities(only_part(collection).text_vectors(), *text, query)[0]
                              : similarities(only_part(collection).image_vectors(), row, query)[0];
      expected.emplace_back(-score, row);
    }
    std::sort(expected.begin(), expected.end());
    const std::vector<SearchHit> hits =
        search(collection, SearchQuery::of_vector(query.row(0)), {20, space, {}, 2});
    BOOST_REQUIRE(hits.size() == 20u);
    for (size_t i = 0; i < hits.size(); ++i) {
      const float cosine =
          space == SearchSpace::Text ? hits[i].text_score.value() : hits[i].image_score;
      BOOST_TEST(std::abs(cosine + expected[i].first) < 1e-5f);
      BOOST_TEST(hits[i].row == expected[i].second);
    }
    // More than there are: all that live, none twice.
    BOOST_TEST(
        search(collection, SearchQuery::of_vector(query.row(0)), {10'000, space, {}, 0}).size() ==
        expected.size());
  }
}

BOOST_AUTO_TEST_CASE(vectors_of_another_dimension_are_refused) {
  const View collection = open();
  const Fusion max = default_fusion(collection, "max");
  BOOST_CHECK_THROW(
      classify(collection, labelling_of(LabelVectors(Matrix(2, kRandomDimension + 1)), max)), Error);
  BOOST_CHECK_THROW(classify(collection, labelling_of(LabelVectors(Matrix(0, kRandomDimension)), max)),
                    Error);
  BOOST_CHECK_THROW(search(collection, SearchQuery::of_vector(std::vector<float>(3)), {}), Error);
}

// Enough rows for the approximate index to be worth it, in topics as pictures are.
struct LargeShelf {
  static constexpr uint32_t kRandomDimension = 16;
  static constexpr size_t kTopics = 50;

  LargeShelf() {
    constexpr size_t kRows = 60'000;
    Random random(1);
    for (size_t i = 0; i < kTopics; ++i) topics.push_back(vector(random));
    Manifest manifest;
    manifest.dimension = kRandomDimension;
    CollectionWriter writer = CollectionWriter::open_or_create(path, manifest);
    Batch batch;
    for (size_t row = 0; row < kRows; ++row) {
      NewPicture picture;
      picture.record.file.path = "/" + std::to_string(row);
      picture.image_vector = of_topic(row % kTopics, random);
      if (row % 2 == 0) {
        picture.words = {{"word", 1, {}}};
        picture.record.word_count = 1;
        picture.text_vector = of_topic(random.below(kTopics), random);
      }
      batch.added.push_back(std::move(picture));
    }
    writer.commit(batch);
    writer.publish_snapshot(SnapshotWhen::Now, {kRows});
  }

  static std::vector<float> vector(Random& random) {
    std::vector<float> result(kRandomDimension);
    for (float& value : result) value = static_cast<float>(random.uniform(-1, 1));
    normalise(result);
    return result;
  }

  std::vector<float> of_topic(size_t topic, Random& random) const {
    std::vector<float> result = vector(random);
    for (size_t i = 0; i < result.size(); ++i) result[i] += 2 * topics[topic][i];
    normalise(result);
    return result;
  }

  testing::TemporaryDirectory directory;
  std::filesystem::path path = directory / "large.shelf";
  std::vector<std::vector<float>> topics;
};

BOOST_FIXTURE_TEST_CASE(the_approximate_index_finds_the_hits_of_every_row_with_the_same_scores,
                        LargeShelf) {
  const View collection = View::open(path);
  BOOST_REQUIRE(only_part(collection).vector_index() != nullptr);
  Random random(2);
  size_t found = 0;
  size_t wanted = 0;
  for (const SearchSpace space : {SearchSpace::Picture, SearchSpace::Text, SearchSpace::Both}) {
    for (int i = 0; i < 10; ++i) {
      const SearchQuery query = SearchQuery::of_vector(of_topic(random.below(kTopics), random));
      SearchLimits limits{10, space, {}, 2};
      const std::vector<SearchHit> some = search(collection, query, limits);
      limits.reach = SearchReach::EveryRow;
      for (const SearchHit& best : search(collection, query, limits)) {
        ++wanted;
        const auto hit = std::ranges::find(some, best.row, &SearchHit::row);
        if (hit == some.end()) continue;
        ++found;
        BOOST_TEST(hit->score == best.score);
        BOOST_TEST(hit->image_score == best.image_score);
      }
    }
  }
  BOOST_TEST(wanted == 300u);
  BOOST_TEST(found >= wanted * 98 / 100);
}

BOOST_FIXTURE_TEST_CASE(without_its_approximate_index_every_row_is_looked_at, LargeShelf) {
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    if (entry.path().filename().string().starts_with("ivf-image"))
      std::filesystem::resize_file(entry.path(), 1000);
  }
  const View collection = View::open(path);
  Random random(3);
  const SearchQuery query = SearchQuery::of_vector(of_topic(0, random));
  SearchLimits limits{10, SearchSpace::Both, {}, 2};
  const std::vector<SearchHit> hits = search(collection, query, limits);
  limits.reach = SearchReach::EveryRow;
  const std::vector<SearchHit> every = search(collection, query, limits);
  BOOST_TEST(std::ranges::equal(hits, every, {}, &SearchHit::row, &SearchHit::row));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
