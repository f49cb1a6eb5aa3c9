// What the cut-off says of names that people use of photographs, and of names that nobody does, by
// CLIP's own vectors.

#include <boost/test/unit_test.hpp>

#include "lib/search/search.h"
#include "lib/search/search_cut.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/true_photographs.h"

namespace zeroshelf {
namespace {

using testing::TruePhotographs;

BOOST_AUTO_TEST_SUITE(true_cut)

BOOST_AUTO_TEST_CASE(most_names_that_nobody_uses_are_refused_and_those_that_people_use_found) {
  const testing::TemporaryDirectory directory;
  const TruePhotographs photographs;
  photographs.make_collection(directory / "collection");
  const View collection = View::open(directory / "collection");
  const auto finds = [&](std::span<const float> vector, const Matrix& background) {
    const SearchQuery query = SearchQuery::of_vector(vector);
    return !search(collection, query,
                   {.count = 1, .fits = Fit(collection, query, background, SearchSpace::Both)})
                .empty();
  };
  size_t used = 0;
  size_t found = 0;
  size_t unsaid = 0;
  size_t refused = 0;
  for (size_t part = 0; part < TruePhotographs::kParts; ++part) {
    const Matrix background = photographs.background(part);
    for (const size_t k : photographs.used()) {
      ++used;
      found += finds(photographs.label(k), background);
    }
    constexpr size_t kEach = 8;  // for the sake of time
    const std::vector<size_t> names = photographs.unsaid(part);
    for (size_t i = part; i < names.size(); i += kEach) {
      ++unsaid;
      refused += !finds(photographs.name(names[i]), background);
    }
  }
  BOOST_TEST_MESSAGE(found << " of " << used << " found, " << refused << " of " << unsaid
                           << " refused");
  BOOST_TEST(used == 52u);
  BOOST_TEST(unsaid >= 100u);
  BOOST_TEST(found * 10 >= used * 9);      // 90 %
  BOOST_TEST(refused * 10 >= unsaid * 6);  // 60 %
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
