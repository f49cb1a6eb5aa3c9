// Tested by tests/report/svg_test.cc.

#include "lib/report/svg.h"

#include <fmt/format.h>

#include <iterator>

#include "lib/report/formats.h"

namespace zeroshelf {
namespace {

const char* name_of(Anchor anchor) {
  return anchor == Anchor::Start ? "start" : anchor == Anchor::Middle ? "middle" : "end";
}

}  // namespace

Svg::Svg(int width_px, int height_px, int font_px)
    : body_(
          fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" "
                      "width=\"{0}\" height=\"{1}\" font-family=\"sans-serif\" "
                      "font-size=\"{2}\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
                      width_px, height_px, font_px)) {}

void Svg::rectangle(Point corner, double width, double height, std::string_view fill,
                    std::string_view stroke) {
  fmt::format_to(std::back_inserter(body_),
                 "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\" "
                 "stroke=\"{}\"/>\n",
                 corner.x, corner.y, width, height, fill, stroke);
}

void Svg::line(Point from, Point to, std::string_view colour, double width) {
  fmt::format_to(std::back_inserter(body_),
                 "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" "
                 "stroke-width=\"{}\"/>\n",
                 from.x, from.y, to.x, to.y, colour, width);
}

void Svg::polyline(std::span<const Point> points, std::string_view colour, double width) {
  fmt::format_to(std::back_inserter(body_),
                 "<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" points=\"", colour,
                 width);
  for (const Point& point : points)
    fmt::format_to(std::back_inserter(body_), "{:.1f},{:.1f} ", point.x, point.y);
  body_ += "\"/>\n";
}

void Svg::circle(Point centre, double radius, std::string_view fill) {
  fmt::format_to(std::back_inserter(body_),
                 "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" fill=\"{}\"/>\n", centre.x,
                 centre.y, radius, fill);
}

void Svg::text(Point at, std::string_view text, const TextStyle& style) {
  fmt::format_to(std::back_inserter(body_),
                 "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" fill=\"{}\"", at.x, at.y,
                 name_of(style.anchor), style.colour);
  if (style.size_px > 0)
    fmt::format_to(std::back_inserter(body_), " font-size=\"{}\"", style.size_px);
  if (style.bold) body_ += " font-weight=\"bold\"";
  body_ += '>';
  append_html(body_, text);
  body_ += "</text>\n";
}

}  // namespace zeroshelf
