// Groups of points, and how many there are.

#include "lib/labelling/grouping.h"

#include <boost/test/unit_test.hpp>
#include <set>
#include <vector>

#include "lib/util/random.h"

namespace zeroshelf {
namespace {

// So many points about each of some directions.
struct Points {
  Points(size_t groups, size_t of_each, double spread) : points(groups * of_each, 32) {
    Random random(11);
    Matrix middles(groups, 32);
    for (size_t group = 0; group < groups; ++group) {
      for (float& value : middles.row(group)) value = static_cast<float>(random.uniform(-1, 1));
      normalise(middles.row(group));
    }
    for (size_t i = 0; i < points.rows(); ++i) {
      truth.push_back(static_cast<uint32_t>(i % groups));
      for (size_t d = 0; d < 32; ++d)
        points.row(i)[d] = middles.row(i % groups)[d] +
                           static_cast<float>(random.uniform(-spread, spread));
      normalise(points.row(i));
    }
  }

  Matrix points;
  std::vector<uint32_t> truth;
};

bool same_groups(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
  std::set<std::pair<uint32_t, uint32_t>> pairs;
  std::set<uint32_t> of_a;
  std::set<uint32_t> of_b;
  for (size_t i = 0; i < a.size(); ++i) {
    pairs.emplace(a[i], b[i]);
    of_a.insert(a[i]);
    of_b.insert(b[i]);
  }
  return pairs.size() == of_a.size() && pairs.size() == of_b.size();
}

BOOST_AUTO_TEST_SUITE(grouping)

BOOST_AUTO_TEST_CASE(as_many_groups_are_found_as_were_drawn) {
  for (const size_t groups : {2u, 3u, 5u, 7u}) {
    const Points drawn(groups, 20, 0.15);
    const Grouping found = Groupings(drawn.points).best(40);
    BOOST_TEST(found.groups == groups);
    BOOST_TEST(same_groups(found.of_point, drawn.truth));
    BOOST_TEST(found.silhouette > 0.3);
  }
}

BOOST_AUTO_TEST_CASE(a_number_that_was_asked_for_is_taken) {
  const Points drawn(4, 15, 0.15);
  const Groupings groupings(drawn.points);
  BOOST_TEST(groupings.of(4).groups == 4u);
  BOOST_TEST(same_groups(groupings.of(4).of_point, drawn.truth));
  BOOST_TEST(groupings.of(1).groups == 1u);
  BOOST_TEST(groupings.of(9).groups == 9u);
}

BOOST_AUTO_TEST_CASE(threads_change_nothing) {
  const Points drawn(6, 20, 0.4);
  const Grouping one = Groupings(drawn.points, 1).best(30);
  const Grouping many = Groupings(drawn.points, 5).best(30);
  BOOST_TEST((one.of_point == many.of_point));
  BOOST_TEST(one.silhouette == many.silhouette);
}

BOOST_AUTO_TEST_CASE(equal_points_and_few_of_them_are_one_group) {
  Matrix same(10, 4);
  for (size_t i = 0; i < 10; ++i) same.row(i)[1] = 1;
  const Groupings groupings(same);
  BOOST_TEST(groupings.best(5).groups == 1u);
  BOOST_TEST(groupings.of(3).groups == 1u);
  BOOST_TEST(groupings.best(0).groups == 1u);
  BOOST_TEST(Groupings(Matrix(1, 4)).best(1).groups == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
