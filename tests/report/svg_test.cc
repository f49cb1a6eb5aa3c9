// A drawing is well-formed, whatever its texts are.

#include "lib/report/svg.h"
#include "tests/support/checks.h"

#include <array>
#include <boost/test/unit_test.hpp>

namespace zeroshelf {
namespace {

using testing::has;

BOOST_AUTO_TEST_SUITE(svg)

BOOST_AUTO_TEST_CASE(shapes_stand_where_they_were_put) {
  Svg svg(200, 100);
  svg.line({1, 2}, {3, 4.25}, "#abc");
  svg.circle({5, 6}, 7, "red");
  svg.rectangle({8, 9}, 10, 11, "blue");
  const std::array<Point, 2> points = {{{1, 2}, {3, 4}}};
  svg.polyline(points, "green");
  const std::string file = svg.str();
  BOOST_TEST(has(file, "viewBox=\"0 0 200 100\""));
  BOOST_TEST(has(file, "<line x1=\"1.0\" y1=\"2.0\" x2=\"3.0\" y2=\"4.2\" stroke=\"#abc\""));
  BOOST_TEST(has(file, "<circle cx=\"5.0\" cy=\"6.0\" r=\"7.0\" fill=\"red\"/>"));
  BOOST_TEST(has(file, "<rect x=\"8.0\" y=\"9.0\" width=\"10.0\" height=\"11.0\" fill=\"blue\""));
  BOOST_TEST(has(file, "points=\"1.0,2.0 3.0,4.0 \""));
  BOOST_TEST(file.ends_with("</svg>\n"));
}

BOOST_AUTO_TEST_CASE(a_text_cannot_end_its_element) {
  Svg svg(10, 10);
  svg.text({0, 0}, "</text><script>\n\"&\xff", {Anchor::End, "#000", 15, true});
  const std::string file = svg.str();
  BOOST_TEST(!has(file, "<script>"));
  BOOST_TEST(has(file, "&lt;/text&gt;&lt;script&gt;"));
  BOOST_TEST(has(file, "text-anchor=\"end\""));
  BOOST_TEST(has(file, "font-weight=\"bold\""));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
