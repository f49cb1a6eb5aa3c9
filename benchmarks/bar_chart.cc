// Tested by tests/baselines/dataset_test.cc.

#include "benchmarks/bar_chart.h"

#include <fmt/format.h>

#include "lib/output/formats.h"

namespace zeroshelf::bench {
namespace {

constexpr int kNameWidth = 250;
constexpr int kPlotWidth = 480;
constexpr int kRowHeight = 34;
constexpr int kTop = 44;

double x_of(double share) {
  return kNameWidth + share * kPlotWidth;
}

std::string escaped(const std::string& text) {
  std::string result;
  append_html(result, text);
  return result;
}

}  // namespace

std::string bar_chart(const std::string& title, const std::vector<Bar>& bars) {
  const int height = kTop + kRowHeight * static_cast<int>(bars.size()) + 34;
  const int bottom = height - 30;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\" font-family=\"sans-serif\" font-size=\"13\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
      "<text x=\"12\" y=\"24\" font-size=\"15\" font-weight=\"bold\">{2}</text>\n",
      kNameWidth + kPlotWidth + 70, height, escaped(title));
  for (int tick = 0; tick <= 100; tick += 20) {
    const double x = x_of(tick / 100.0);
    svg += fmt::format(
        "<line x1=\"{0:.1f}\" y1=\"{1}\" x2=\"{0:.1f}\" y2=\"{2}\" stroke=\"#ddd\"/>"
        "<text x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\" fill=\"#555\">{4} %</text>\n",
        x, kTop - 6, bottom, bottom + 18, tick);
  }
  int y = kTop;
  for (const Bar& bar : bars) {
    svg += fmt::format(
        "<text x=\"{0}\" y=\"{1}\" text-anchor=\"end\">{2}</text>"
        "<rect x=\"{3}\" y=\"{4}\" width=\"{5:.1f}\" height=\"20\" fill=\"#4a7ebb\"/>"
        "<line x1=\"{6:.1f}\" y1=\"{7}\" x2=\"{8:.1f}\" y2=\"{7}\" stroke=\"#222\" "
        "stroke-width=\"2\"/>"
        "<text x=\"{9:.1f}\" y=\"{1}\">{10:.1f} %</text>\n",
        kNameWidth - 8, y + 15, escaped(bar.name), kNameWidth, y, bar.share * kPlotWidth,
        x_of(bar.low), y + 10, x_of(bar.high), x_of(bar.high) + 6, 100 * bar.share);
    y += kRowHeight;
  }
  return svg + "</svg>\n";
}

}  // namespace zeroshelf::bench
