// Search in process: the fused ranking against its definition, filters, the cut-off.

#include "lib/search/search.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>
#include <set>

#include "lib/search/background.h"
#include "lib/search/record_filter.h"
#include "lib/search/search_cut.h"
#include "lib/util/error.h"
#include "tests/support/asked.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

constexpr uint32_t kDimension = 24;

std::vector<float> random_unit(std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<float> vector(kDimension);
  for (float& value : vector) value = normal(random);
  normalise(vector);
  return vector;
}

// 900 pictures; two of three have two words each; every seventh is removed.
struct Collected {
  testing::TemporaryDirectory directory;
  std::mt19937 random{42};
  std::filesystem::path path = directory / "collection";

  Collected() {
    Manifest manifest;
    manifest.model_name = "random";
    manifest.model_fingerprint = "0";
    manifest.dimension = kDimension;
    CollectionWriter writer = CollectionWriter::open_or_create(path, manifest);
    Batch batch;
    for (Row row = 0; row < 900; ++row) {
      NewPicture picture;
      picture.record.file = {"/folder/" + std::to_string(row) + (row % 2 ? ".jpg" : ".png"),
                             row * 10, static_cast<int64_t>(row) * 1'000'000'000};
      picture.record.width_px = static_cast<uint32_t>(row);
      picture.record.height_px = 100;
      picture.image_vector = random_unit(random);
      if (row % 3 != 0) {
        picture.words = {{"word" + std::to_string(row % 50), 1, {}}, {"common", 1, {}}};
        picture.record.word_count = 2;
        picture.text_vector = random_unit(random);
      }
      batch.added.push_back(std::move(picture));
    }
    writer.commit(batch);
    Batch removals;
    for (Row row = 0; row < 900; row += 7) removals.removed.push_back(row);
    writer.commit(removals);
  }

  View open() const { return View::open(path); }
};

float cosine(const VectorRows& vectors, Row row, const std::vector<float>& query) {
  std::vector<float> values(kDimension);
  from_fp16(vectors.row(row), values);
  float sum = 0;
  for (size_t i = 0; i < kDimension; ++i) sum += values[i] * query[i];
  return sum;
}

BOOST_FIXTURE_TEST_SUITE(searching, Collected)

BOOST_AUTO_TEST_CASE(the_fused_score_is_the_sum_of_its_kinds_of_evidence) {
  const View collection = open();
  SearchQuery query = SearchQuery::of_vector(random_unit(random));
  query.letters = letter_query("word7 common");
  const auto letters = letter_evidence(collection.lexicons(), query.letters, 900).nats;
  // By the definition, with spreads over everything that lives.
  const auto spread_over = [&](const VectorRows& vectors, const std::vector<Row>& owners) {
    std::vector<float> cosines;
    for (Row i = 0; i < vectors.size(); ++i) {
      if (collection.is_live(owners.empty() ? i : owners[i]))
        cosines.push_back(cosine(vectors, i, query.picture));
    }
    return spread_of(cosines);
  };
  const CosineSpread pictures = spread_over(only_part(collection).image_vectors(), {});
  const CosineSpread texts =
      spread_over(only_part(collection).text_vectors(), only_part(collection).text_owners());
  std::vector<std::pair<double, Row>> expected;
  for (Row row = 0; row < 900; ++row) {
    if (!collection.is_live(row)) continue;
    double score = nats_of(
        pictures.standardised(cosine(only_part(collection).image_vectors(), row, query.picture)));
    if (const auto text = collection.text_index(row)) {
      score += nats_of(
          texts.standardised(cosine(only_part(collection).text_vectors(), *text, query.text)));
      score += letters[row];
    }
    expected.emplace_back(-score, row);
  }
  std::sort(expected.begin(), expected.end());
  for (const unsigned threads : {1u, 3u}) {
    const auto hits = search(collection, query, {25, SearchSpace::Both, {}, threads});
    BOOST_REQUIRE(hits.size() == 25u);
    for (size_t i = 0; i < hits.size(); ++i) {
      BOOST_TEST(std::abs(hits[i].score + expected[i].first) < 5e-3);
      BOOST_TEST(std::abs(hits[i].score - hits[i].image_nats - hits[i].text_nats -
                          hits[i].letter_nats) < 1e-4f);
    }
  }
}

BOOST_AUTO_TEST_CASE(nats_are_those_of_the_normal_distribution) {
  BOOST_TEST(std::abs(nats_of(0)) < 1e-12);
  BOOST_TEST(std::abs(nats_of(1.6448536) - 2.302585) < 1e-5);  // 2 Q = 0.1
  BOOST_TEST(std::abs(nats_of(3.2905267) - 6.907755) < 1e-5);  // 2 Q = 0.001
  BOOST_TEST(std::abs(nats_of(20.0001) - nats_of(19.9999)) < 0.01);
  BOOST_TEST(std::isfinite(nats_of(500)));
  double last = -1;
  for (double z = -8; z < 60; z += 0.25) {
    BOOST_TEST(nats_of(z) >= last);
    last = nats_of(z);
  }
}

BOOST_AUTO_TEST_CASE(words_are_found_though_the_vectors_know_nothing_of_them) {
  const View collection = open();
  SearchQuery query = SearchQuery::of_vector(random_unit(random));
  query.letters = letter_query("wurd17");
  const auto hits = search(collection, query, {5, SearchSpace::Text, {}, 0});
  BOOST_REQUIRE(!hits.empty());
  // Those with word17 come before those with word10 to word19, which are two edits away.
  BOOST_TEST(collection.words(hits[0].row)[0].text == "word17");
}

BOOST_AUTO_TEST_CASE(filters_admit_what_the_records_say) {
  const View collection = open();
  const auto rows = [&](const RecordFilter& filter) {
    const std::vector<bool> admitted = admitted_rows(collection, filter);
    std::set<Row> result;
    for (Row row = 0; row < admitted.size(); ++row) {
      if (admitted[row] && collection.is_live(row)) result.insert(row);
    }
    return result;
  };
  const auto expected = [&](const auto& wanted) {
    std::set<Row> result;
    for (Row row = 0; row < 900; ++row) {
      if (collection.is_live(row) && wanted(row)) result.insert(row);
    }
    return result;
  };
  RecordFilter filter;
  BOOST_TEST((rows(filter) == expected([](Row) { return true; })));
  filter.has_text = false;
  BOOST_TEST((rows(filter) == expected([](Row row) { return row % 3 == 0; })));
  BOOST_TEST(!filter.reads_records());
  filter.min_width = 300;
  filter.max_bytes = 6000;
  filter.since_ns = 400'000'000'000;
  filter.until_ns = 500'000'000'000;
  filter.paths = {"*.jpg"};
  BOOST_TEST((rows(filter) == expected([](Row row) {
                return row % 3 == 0 && row % 2 == 1 && row >= 400 && row < 500;
              })));
}

BOOST_AUTO_TEST_CASE(patterns_fit_names_or_ends_of_paths) {
  BOOST_TEST(path_fits("*.jpg", "/a/b/c.jpg"));
  BOOST_TEST(!path_fits("*.jpg", "/a/b.jpg/c.png"));
  BOOST_TEST(path_fits("b/*", "/a/b/c.jpg"));
  BOOST_TEST(path_fits("/a/*", "/a/b/c.jpg"));
  BOOST_TEST(!path_fits("/b/*", "/a/b/c.jpg"));
  BOOST_TEST(!path_fits("b/*", "/ab/c.jpg"));
  BOOST_TEST(path_fits("c.jp[gx]", "/a/c.jpg"));
}

BOOST_AUTO_TEST_CASE(days_are_days_or_refused) {
  BOOST_TEST(start_of_day_ns("--until", "2024-02-28", 2) -
                 start_of_day_ns("--since", "2024-02-28") ==
             int64_t{2} * 86'400 * 1'000'000'000);
  for (const char* day : {"", "yesterday", "2024-13-01", "2024-01-01x"})
    BOOST_CHECK_THROW(start_of_day_ns("--since", day), Error);
}

BOOST_AUTO_TEST_CASE(a_cosine_is_chance_up_to_what_the_best_of_so_many_would_have) {
  std::normal_distribution<float> normal(0.2f, 0.02f);
  std::vector<float> pairs(400'000);
  for (float& pair : pairs) pair = normal(random);
  std::vector<float> sorted = pairs;
  std::sort(sorted.begin(), sorted.end());
  const float thousandth = sorted[sorted.size() - sorted.size() / 1000];
  // n Q(z) = 0.01: z = 2.326 of one, 2.878 of five.
  BOOST_TEST(std::abs(chance_cosine(pairs, 1) - (0.2f + 0.02f * 2.326f)) < 5e-4f);
  BOOST_TEST(std::abs(chance_cosine(pairs, 5) - (0.2f + 0.02f * 2.878f)) < 5e-4f);
  // Pairs that hardly stand out set the limit, however many vectors there are.
  BOOST_TEST(std::abs(chance_cosine(pairs, 1'000'000) - thousandth) < 5e-4f);
  // Pairs that stand out leave it where chance has it: with 441 vectors and more.
  for (size_t i = 0; i < pairs.size() / 100; ++i) pairs[i * 100] = 0.6f;
  const float most = chance_cosine(pairs, 441);
  BOOST_TEST(std::abs(most - (0.2f + 0.02f * 4.08f)) < 2e-3f);
  BOOST_TEST(chance_cosine(pairs, 1'000'000) == most);
  BOOST_TEST(chance_cosine({}, 100) == -1);
}

BOOST_AUTO_TEST_CASE(what_fits_nothing_better_than_other_prompts_do_is_cut) {
  const View collection = open();
  Matrix background(200, kDimension);
  for (size_t i = 0; i < background.rows(); ++i)
    std::ranges::copy(random_unit(random), background.row(i).begin());
  const auto found = [&](const SearchQuery& query, SearchSpace space) {
    return fitting(collection, query, background, space,
                   search(collection, query, {10, space, {}, 0}));
  };
  // A picture's own vector stands out for that picture.
  std::vector<float> own(kDimension);
  from_fp16(only_part(collection).image_vectors().row(101), own);
  normalise(own);
  const auto hits = found(SearchQuery::of_vector(own), SearchSpace::Picture);
  BOOST_REQUIRE(!hits.empty());
  BOOST_TEST(hits[0].row == 101u);
  BOOST_TEST(hits.size() < 10u);
  // What points away from every picture, or what other prompts say better, does not.
  const auto everything =
      search(collection, SearchQuery::of_vector(own), {10, SearchSpace::Picture, {}, 0});
  Matrix better(50, kDimension);
  for (size_t i = 0; i < better.rows(); ++i) {
    std::vector<float> near = own;
    near[i % kDimension] += 0.001f;
    normalise(near);
    std::ranges::copy(near, better.row(i).begin());
  }
  std::vector<float> vague = own;
  for (float& value : vague) value += 0.3f;
  normalise(vague);
  BOOST_TEST(
      fitting(collection, SearchQuery::of_vector(vague), better, SearchSpace::Picture, everything)
          .empty());
  // Letters stand when half of them are there.
  SearchQuery query = SearchQuery::of_vector(random_unit(random));
  query.letters = letter_query("word17");
  BOOST_TEST(!found(query, SearchSpace::Text).empty());
  query.letters = letter_query("word17 with many absent others beside");
  for (const SearchHit& hit : found(query, SearchSpace::Text))
    BOOST_TEST(hit.text_nats >= least_nats(600));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
