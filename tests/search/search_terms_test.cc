// What a search asks for.

#include "lib/search/search_terms.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "lib/util/error.h"
#include "tests/search/collected.h"
#include "tests/support/fake_encoder.h"

namespace zeroshelf {
namespace {

using testing::Collected;
using testing::NoEncoder;

BOOST_FIXTURE_TEST_SUITE(search_terms, Collected)

BOOST_AUTO_TEST_CASE(an_at_sign_names_a_picture_and_two_begin_a_text) {
  using Kind = SearchTerm::Kind;
  BOOST_TEST((parse_term("cat", 1).kind == Kind::Text));
  BOOST_TEST((parse_term("@cat.jpg", -2).kind == Kind::PictureFile));
  BOOST_TEST(parse_term("@cat.jpg", -2).value == "cat.jpg");
  BOOST_TEST(parse_term("@cat.jpg", -2).weight == -2);
  BOOST_TEST((parse_term("@@cat", 1).kind == Kind::Text));
  BOOST_TEST(parse_term("@@cat", 1).value == "@cat");
}

BOOST_AUTO_TEST_CASE(a_picture_of_the_collection_fits_itself_best_and_needs_no_encoder) {
  const View collection = open();
  NoEncoder encoders;
  const SearchTerm like{SearchTerm::Kind::PictureOfCollection, "/folder/101.jpg", 1};
  const MadeQuery made = make_query(collection, {like}, SearchSpace::Both, encoders);
  BOOST_REQUIRE(made.liked.size() == 1u);
  BOOST_TEST(made.liked[0] == 101u);
  BOOST_TEST(made.background.rows() == 0u);
  double length = 0;
  for (const float value : made.query.picture) length += double{value} * value;
  BOOST_TEST(std::abs(length - 1) < 1e-3);
  BOOST_TEST(search(collection, made.query, {}).at(0).row == 101u);
}

BOOST_AUTO_TEST_CASE(a_picture_that_the_collection_does_not_have_is_named) {
  NoEncoder encoders;
  const SearchTerm like{SearchTerm::Kind::PictureOfCollection, "/folder/none.jpg", 1};
  BOOST_CHECK_EXCEPTION(make_query(open(), {like}, SearchSpace::Both, encoders), Error,
                        [](const Error& error) { return error.code() == ErrorCode::NotFound; });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
