// The fused ranking against its definition.

#include "lib/search/search.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>
#include <set>

#include "lib/util/error.h"
#include "tests/search/collected.h"
#include "tests/support/asked.h"

namespace zeroshelf {
namespace {

using testing::Collected;
using testing::cosine;
using testing::random_unit;

BOOST_FIXTURE_TEST_SUITE(searching, Collected)

BOOST_AUTO_TEST_CASE(the_fused_score_is_the_sum_of_its_kinds_of_evidence) {
  const View collection = open();
  SearchQuery query = SearchQuery::of_vector(random_unit(random));
  query.lexical = lexical_query("word7 common");
  const auto lexical = lexical_evidence(collection.lexicons(), query.lexical, 900).nats;
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
      score += lexical[row];
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
                          hits[i].lexical_nats) < 1e-4f);
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
  query.lexical = lexical_query("wurd17");
  const auto hits = search(collection, query, {5, SearchSpace::Text, {}, 0});
  BOOST_REQUIRE(!hits.empty());
  // Texts with word17 come before those with word10 to word19, which are two edits away.
  BOOST_TEST(collection.words(hits[0].row)[0].text == "word17");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
