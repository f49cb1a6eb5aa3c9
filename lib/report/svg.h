#pragma once

// A drawing as an SVG file: the few shapes that plots are made of. Lengths are pixels, y goes down.

#include <span>
#include <string>
#include <string_view>

namespace zeroshelf {

struct Point {
  double x = 0;
  double y = 0;
};

// How a text stands to its point.
enum class Anchor { Start, Middle, End };

struct TextStyle {
  Anchor anchor = Anchor::Start;
  std::string_view colour = "#222";
  int size_px = 0;  // 0: the drawing's
  bool bold = false;
};

class Svg {
 public:
  // White, with a sans-serif font of that size.
  Svg(int width_px, int height_px, int font_px = 13);

  // Colours are CSS colours of the program's own, never foreign text.
  void rectangle(Point corner, double width, double height, std::string_view fill,
                 std::string_view stroke = "none");
  void line(Point from, Point to, std::string_view colour, double width = 1);
  void polyline(std::span<const Point> points, std::string_view colour, double width = 2);
  void circle(Point centre, double radius, std::string_view fill);
  // Any text; it is made legible and escaped.
  void text(Point at, std::string_view text, const TextStyle& style = {});

  // The whole file.
  std::string str() const { return body_ + "</svg>\n"; }

 private:
  std::string body_;
};

}  // namespace zeroshelf
