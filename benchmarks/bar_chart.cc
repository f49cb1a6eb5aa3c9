// Tested by tests/baselines/dataset_test.cc.

#include "benchmarks/bar_chart.h"

#include <fmt/format.h>

#include "lib/report/svg.h"

namespace zeroshelf::bench {
namespace {

constexpr int kNameWidth = 250;
constexpr int kPlotWidth = 480;
constexpr int kRowHeight = 34;
constexpr int kTop = 44;

double x_of(double share) {
  return kNameWidth + share * kPlotWidth;
}

}  // namespace

std::string bar_chart(const std::string& title, const std::vector<Bar>& bars) {
  const int height = kTop + kRowHeight * static_cast<int>(bars.size()) + 34;
  const double bottom = height - 30;
  Svg svg(kNameWidth + kPlotWidth + 70, height);
  svg.text({12, 24}, title, {.size_px = 15, .bold = true});
  for (int tick = 0; tick <= 100; tick += 20) {
    const double x = x_of(tick / 100.0);
    svg.line({x, kTop - 6}, {x, bottom}, "#ddd");
    svg.text({x, bottom + 18}, fmt::format("{} %", tick), {Anchor::Middle, "#555"});
  }
  double y = kTop;
  for (const Bar& bar : bars) {
    svg.text({kNameWidth - 8, y + 15}, bar.name, {Anchor::End});
    svg.rectangle({kNameWidth, y}, bar.share * kPlotWidth, 20, "#4a7ebb");
    svg.line({x_of(bar.low), y + 10}, {x_of(bar.high), y + 10}, "#222", 2);
    svg.text({x_of(bar.high) + 6, y + 15}, fmt::format("{:.1f} %", 100 * bar.share));
    y += kRowHeight;
  }
  return svg.str();
}

}  // namespace zeroshelf::bench
