// Tested by tests/train/trainer_test.cc.

#include "models/train/curve_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "lib/files/new_file.h"
#include "lib/report/svg.h"

namespace zeroshelf::train {
namespace {

constexpr double kLeft = 60;
constexpr double kWidth = 620;
constexpr double kTop = 40;
constexpr double kHeight = 300;

// The columns of curve.csv that are plotted.
struct Curve {
  const char* name;
  size_t column;
  const char* colour;
  bool is_share;  // drawn against 0 to 1, on the right
};
constexpr std::array<Curve, 5> kCurves = {{{"loss", 4, "#222", false},
                                           {"picture and caption", 5, "#3b6fb6", false},
                                           {"text and text", 6, "#5a9e4b", false},
                                           {"things", 7, "#c9822b", false},
                                           {"held-out accuracy", 8, "#b23a48", true}}};
constexpr size_t kPictures = 1;
constexpr size_t kColumns = 9;

using Line = std::vector<std::string>;

std::vector<Line> read_lines(const std::filesystem::path& csv) {
  std::vector<Line> lines;
  std::ifstream file(csv);
  std::string text;
  std::getline(file, text);  // the names
  while (std::getline(file, text)) {
    Line line;
    for (size_t start = 0; start <= text.size();) {
      const size_t end = std::min(text.find(',', start), text.size());
      line.push_back(text.substr(start, end - start));
      start = end + 1;
    }
    if (line.size() == kColumns) lines.push_back(std::move(line));
  }
  return lines;
}

double number(const Line& line, size_t column) {
  return std::strtod(line[column].c_str(), nullptr);
}

std::vector<Point> points_of(const std::vector<Line>& lines, const Curve& curve,
                             double most_pictures, double highest) {
  std::vector<Point> points;
  for (const Line& line : lines) {
    if (line[curve.column].empty()) continue;
    const double share = number(line, curve.column) / (curve.is_share ? 1 : highest);
    points.push_back(
        {kLeft + kWidth * number(line, kPictures) / most_pictures, kTop + kHeight * (1 - share)});
  }
  return points;
}

}  // namespace

void write_curve_plot(const std::filesystem::path& csv, const std::filesystem::path& svg) {
  const std::vector<Line> lines = read_lines(csv);
  double highest = 1;
  double most_pictures = 1;
  for (const Line& line : lines) {
    highest = std::max(highest, number(line, 4));
    most_pictures = std::max(most_pictures, number(line, kPictures));
  }
  Svg plot(760, 400, 12);
  plot.rectangle({kLeft, kTop}, kWidth, kHeight, "none", "#bbb");
  for (int tick = 0; tick <= 4; ++tick) {
    const double y = kTop + kHeight * (1 - tick / 4.0) + 4;
    plot.text({kLeft - 6, y}, fmt::format("{:.1f}", highest * tick / 4), {Anchor::End});
    plot.text({kLeft + kWidth + 6, y}, fmt::format("{} %", 25 * tick), {Anchor::Start, "#b23a48"});
  }
  plot.text({kLeft + kWidth, kTop + kHeight + 20}, fmt::format("{:.0f} pictures", most_pictures),
            {Anchor::End});
  double x = kLeft;
  for (const Curve& curve : kCurves) {
    plot.polyline(points_of(lines, curve, most_pictures, highest), curve.colour);
    plot.text({x, 24}, curve.name, {Anchor::Start, curve.colour});
    x += curve.column == 4 ? 50 : 140;
  }
  write_file_atomically(svg, plot.str());
}

}  // namespace zeroshelf::train
