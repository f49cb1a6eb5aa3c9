#include "lib/report/hit_groups.h"

#include <boost/test/unit_test.hpp>

#include <cmath>

namespace zeroshelf {
namespace {

// Pictures whose vectors lie on a circle, by their angle in degrees.
class Circle : public HitFacts {
 public:
  explicit Circle(std::vector<double> degrees) : degrees_(std::move(degrees)) {}

  std::string path(Row row) const override { return "/" + std::to_string(row); }
  PictureRecord record(Row) const override { return {}; }
  Row row_of_all(Row row) const override { return row; }
  std::vector<Word> words(Row) const override { return {}; }
  void read_vector(Row row, std::span<float> out) const override {
    const double radians = degrees_.at(row) * 3.14159265 / 180;
    out[0] = static_cast<float>(std::cos(radians));
    out[1] = static_cast<float>(std::sin(radians));
  }
  float inner_product(Row row, const Matrix& other) const override {
    float own[2];
    read_vector(row, own);
    return own[0] * other.row(0)[0] + own[1] * other.row(0)[1];
  }

 private:
  std::vector<double> degrees_;
};

std::vector<SearchHit> hits_of(const std::vector<Row>& rows) {
  std::vector<SearchHit> hits;
  for (const Row row : rows) {
    SearchHit hit;
    hit.row = row;
    hits.push_back(hit);
  }
  return hits;
}

// "0+2 1": each group's best picture and those that are nearly the same.
std::string groups_of(const Circle& circle, const std::vector<Row>& rows, size_t count) {
  std::string text;
  for (const HitGroup& group : group_hits(circle, 2, hits_of(rows), count)) {
    text += (text.empty() ? "" : " ") + std::to_string(group.hit.row);
    for (const Row row : group.similar) text += "+" + std::to_string(row);
  }
  return text;
}

SearchHit with_nats(float picture, float text, float lexical) {
  SearchHit hit;
  hit.image_nats = picture;
  hit.text_nats = text;
  hit.lexical_nats = lexical;
  return hit;
}

BOOST_AUTO_TEST_SUITE(hit_groups)

// The cosine of 10 degrees is 0.985, that of 20 degrees 0.940.
BOOST_AUTO_TEST_CASE(pictures_that_are_nearly_the_same_as_a_better_one_are_with_it) {
  const Circle circle({0, 90, 10, 20, 95});
  BOOST_TEST(groups_of(circle, {0, 1, 2, 3, 4}, 9) == "0+2 1+4 3");
  // Like the best of a group, not like any of it.
  BOOST_TEST(groups_of(circle, {2, 0, 3}, 9) == "2+0+3");
}

BOOST_AUTO_TEST_CASE(groups_that_are_full_in_number_still_take_what_is_like_them) {
  const Circle circle({0, 90, 10, 180});
  BOOST_TEST(groups_of(circle, {0, 1, 3, 2}, 2) == "0+2 1");
  BOOST_TEST(groups_of(circle, {}, 2) == "");
  BOOST_TEST(groups_of(circle, {0, 1}, 0) == "");
}

BOOST_AUTO_TEST_CASE(single_hits_stand_alone) {
  const std::vector<HitGroup> groups = single_hits(hits_of({3, 1}));
  BOOST_REQUIRE(groups.size() == 2u);
  BOOST_TEST(groups[0].hit.row == 3u);
  BOOST_TEST(groups[1].similar.empty());
}

BOOST_AUTO_TEST_CASE(a_hit_is_found_by_what_counts_most) {
  const SearchHit words = with_nats(1, 2, 3);
  BOOST_TEST(found_by(words, SearchSpace::Both) == "letters");
  BOOST_TEST(found_by(words, SearchSpace::Text) == "letters");
  BOOST_TEST(found_by(words, SearchSpace::Picture) == "picture");
  BOOST_TEST(found_by(with_nats(4, 2, 3), SearchSpace::Both) == "picture");
  BOOST_TEST(found_by(with_nats(4, 2, 3), SearchSpace::Text) == "letters");
  BOOST_TEST(found_by(with_nats(1, 2, 0), SearchSpace::Both) == "text");
  BOOST_TEST(found_by(with_nats(4, 2, 0), SearchSpace::Text) == "text");
  BOOST_TEST(found_by(with_nats(2, 2, 0), SearchSpace::Both) == "picture");
}

BOOST_AUTO_TEST_CASE(a_message_names_the_pictures_that_are_nearly_the_same) {
  const Circle circle({0, 1, 2});
  const HitGroup group{with_nats(1, 2, 0), {1, 2}};
  const std::vector<Word> words = {{"two", 0.9f, {1, 2, 3, 4}}, {"dogs", 0.8f, {}}};
  const std::vector<MatchedWord> matches = {{.word = 0, .query_word = "too", .edits = 1}};
  const message::Hit told =
      hit_message(circle, group, "/no/such/file", words, matches, SearchSpace::Both);
  BOOST_TEST(told.is_gone);
  BOOST_TEST(told.found_by == "text");
  BOOST_REQUIRE(told.similar.size() == 2u);
  BOOST_TEST(told.similar[1] == "/2");
  BOOST_TEST(told.ocr_text == "two dogs");
  BOOST_REQUIRE(told.words.size() == 1u);
  BOOST_TEST(told.words[0].text == "two");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
