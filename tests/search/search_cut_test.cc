// The cut-off.

#include "lib/search/search_cut.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>

#include "lib/search/background.h"
#include "lib/search/search.h"
#include "tests/search/collected.h"
#include "tests/support/asked.h"

namespace zeroshelf {
namespace {

using testing::Collected;
using testing::kCollectedDimension;
using testing::random_unit;

BOOST_FIXTURE_TEST_SUITE(search_cut, Collected)

BOOST_AUTO_TEST_CASE(what_fits_nothing_better_than_other_prompts_do_is_cut) {
  const View collection = open();
  Matrix background(200, kCollectedDimension);
  for (size_t i = 0; i < background.rows(); ++i)
    std::ranges::copy(random_unit(random), background.row(i).begin());
  const auto found = [&](const SearchQuery& query, SearchSpace space, size_t count = 10) {
    return search(
        collection, query,
        {.count = count, .space = space, .fits = Fit(collection, query, background, space)});
  };
  // A picture's own vector stands out for that picture.
  std::vector<float> own(kCollectedDimension);
  from_fp16(only_part(collection).image_vectors().row(101), own);
  normalise(own);
  const auto hits = found(SearchQuery::of_vector(own), SearchSpace::Picture, 900);
  BOOST_REQUIRE(!hits.empty());
  BOOST_TEST(hits[0].row == 101u);
  BOOST_TEST(hits.size() < 90u);  // of vectors taken at random about a twentieth stands out
  // What many prompts say as well does not.
  Matrix alike = background;
  for (size_t i = 0; i < alike.rows() / 4; ++i) {
    std::vector<float> near = own;
    near[i % kCollectedDimension] += 0.1f;
    normalise(near);
    std::ranges::copy(near, alike.row(i).begin());
  }
  const SearchQuery query_of_own = SearchQuery::of_vector(own);
  const auto rows = search(collection, query_of_own,
                           {.count = 900,
                            .space = SearchSpace::Picture,
                            .fits = Fit(collection, query_of_own, alike, SearchSpace::Picture)});
  BOOST_TEST(std::ranges::count(rows, 101u, &SearchHit::row) == 0);
  SearchQuery query = SearchQuery::of_vector(random_unit(random));
  query.lexical = lexical_query("word17");
  BOOST_TEST(!found(query, SearchSpace::Text).empty());
  query.lexical = lexical_query("word17 with many absent others beside");
  for (const SearchHit& hit : found(query, SearchSpace::Text))
    BOOST_TEST(hit.text_nats >= least_nats(600));
}

// A word that many texts hold, and whose pictures and texts are anything: the best few of all are
// not among them.
BOOST_AUTO_TEST_CASE(what_fits_is_found_however_few_are_asked_for) {
  const View collection = open();
  Matrix background(200, kCollectedDimension);
  for (size_t i = 0; i < background.rows(); ++i)
    std::ranges::copy(random_unit(random), background.row(i).begin());
  SearchQuery query = SearchQuery::of_vector(random_unit(random));
  query.lexical = lexical_query("word17");
  const auto found = [&](size_t count) {
    return search(collection, query,
                  {.count = count, .fits = Fit(collection, query, background, SearchSpace::Both)});
  };
  const auto all = found(600);
  const auto with_word = static_cast<size_t>(std::ranges::count_if(all, &SearchHit::lexical_fits));
  BOOST_TEST(with_word > 0u);
  for (const size_t count : {size_t{1}, size_t{2}, all.size()}) {
    const auto some = found(count);
    BOOST_REQUIRE(some.size() == std::min(count, all.size()));
    for (size_t i = 0; i < some.size(); ++i) BOOST_TEST(some[i].row == all[i].row);
  }
}

// What does not fit has the higher scores here, so their order is another one.
BOOST_AUTO_TEST_CASE(weak_ones_come_behind_all_that_fit_however_high_their_scores) {
  const View collection = open();
  SearchQuery query = SearchQuery::of_vector(random_unit(random));
  query.lexical = lexical_query("word17 word18");
  const auto found = [&](size_t count, bool weak) {
    return search(
        collection, query,
        {.count = count, .fits = [](const SearchHit& hit) { return hit.score < 6; }, .weak = weak});
  };
  const auto good = found(900, false);
  const auto by_score = search(collection, query, {.count = 900});
  BOOST_TEST(by_score.front().score > 6);
  BOOST_TEST(by_score.size() > good.size());
  for (const size_t count : {size_t{1}, size_t{10}, good.size(), good.size() + 5, size_t{900}}) {
    const auto all = found(count, true);
    BOOST_TEST_REQUIRE(all.size() == std::min(count, by_score.size()));
    for (size_t i = 0; i < all.size(); ++i) {
      BOOST_TEST((all[i].fits == (i < good.size())));
      const Row expected = i < good.size() ? good[i].row : by_score[i - good.size()].row;
      BOOST_TEST(all[i].row == expected);
    }
  }
  BOOST_TEST(!by_score.front().fits);
}

// A text that says something alike stands in for the words only where nobody wrote these.
BOOST_AUTO_TEST_CASE(where_words_match_a_text_without_them_must_mean_it_clearly) {
  const View collection = open();
  constexpr size_t kText = 40;
  std::vector<float> own(kCollectedDimension);
  from_fp16(ViewVectors::texts(collection).row(kText), own);
  normalise(own);
  Matrix background(200, kCollectedDimension);
  for (size_t i = 0; i < background.rows(); ++i)
    std::ranges::copy(i < 3 ? own : random_unit(random), background.row(i).begin());
  const Row owner = collection.text_owner(kText);
  SearchQuery query = SearchQuery::of_vector(own);
  const auto is_found = [&](const char* words) {
    query.lexical = lexical_query(words);
    const auto hits = search(collection, query,
                             {.count = 900,
                              .space = SearchSpace::Text,
                              .fits = Fit(collection, query, background, SearchSpace::Text)});
    const auto hit = std::ranges::find(hits, owner, &SearchHit::row);
    if (hit != hits.end()) BOOST_TEST(!hit->lexical_fits);
    return hit != hits.end();
  };
  BOOST_TEST(is_found("unwritten"));  // as well as the best of the background: a margin of 0
  BOOST_TEST(!is_found("word17"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
