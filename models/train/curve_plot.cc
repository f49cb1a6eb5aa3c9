// Tested by tests/train/trainer_test.cc.

#include "models/train/curve_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "lib/util/file.h"

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

std::string polyline(const std::vector<Line>& lines, const Curve& curve, double most_pictures,
                     double highest) {
  std::string points;
  for (const Line& line : lines) {
    if (line[curve.column].empty()) continue;
    const double share = number(line, curve.column) / (curve.is_share ? 1 : highest);
    points +=
        fmt::format("{:.1f},{:.1f} ", kLeft + kWidth * number(line, kPictures) / most_pictures,
                    kTop + kHeight * (1 - share));
  }
  return fmt::format("<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"2\" points=\"{}\"/>\n",
                     curve.colour, points);
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
  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"400\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
      "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#bbb\"/>\n",
      kLeft, kTop, kWidth, kHeight);
  for (int tick = 0; tick <= 4; ++tick) {
    const double y = kTop + kHeight * (1 - tick / 4.0);
    text += fmt::format(
        "<text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"end\">{:.1f}</text>"
        "<text x=\"{:.0f}\" y=\"{:.0f}\" fill=\"#b23a48\">{} %</text>\n",
        kLeft - 6, y + 4, highest * tick / 4, kLeft + kWidth + 6, y + 4, 25 * tick);
  }
  text +=
      fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"end\">{:.0f} pictures</text>\n",
                  kLeft + kWidth, kTop + kHeight + 20, most_pictures);
  double x = kLeft;
  for (const Curve& curve : kCurves) {
    text += polyline(lines, curve, most_pictures, highest);
    text += fmt::format("<text x=\"{:.0f}\" y=\"24\" fill=\"{}\">{}</text>\n", x, curve.colour,
                        curve.name);
    x += curve.column == 4 ? 50 : 140;
  }
  write_file_atomically(svg, text + "</svg>\n");
}

}  // namespace zeroshelf::train
