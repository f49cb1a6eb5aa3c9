// Tested by tests/ocr/line_net_test.cc.

#include "lib/ocr/line_net.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>

#include "lib/ocr/median.h"

namespace zeroshelf {
namespace {

constexpr float kTallRows = 10;  // a tall letter's
constexpr float kBaseRow = 13;   // where its foot stands
constexpr float kBeside = 5;     // columns before and after the glyphs
constexpr float kInk = 170;
constexpr float kAround = LineNetShape::kAround;
// By how much ink differs from what lies around it, in the contrast of the glyphs, which is
// measured against a mean in which the ink has its part.
constexpr float kFullContrast = 1.5f;

constexpr float kWeights[] = {
#include "lib/ocr/line_weights.inc"
};
static_assert(std::size(kWeights) == LineNetShape::kWeights);

}  // namespace

LineLook look_of(const TextLine& line) {
  const Layer& layer = *line.layer;
  const auto scale = static_cast<float>(layer.scale);
  const float step = line.height_px * scale / kTallRows;  // samples of the layer a pixel
  LineLook look;
  const float wanted = line.box.width * scale / step + 2 * kBeside;
  look.columns =
      std::clamp(8 * static_cast<int>(std::ceil(wanted / 8)), 16, LineLook::kMostColumns);
  const float centre = (line.box.x + line.box.width / 2) * scale;
  const float left = centre - step * static_cast<float>(look.columns - 1) / 2;
  const float level = median(line.glyphs, std::mem_fn(&Glyph::level));
  const float contrast = median(line.glyphs, std::mem_fn(&Glyph::contrast));
  const float gain = (layer.polarity == Polarity::Bright ? 1 : -1) * (kInk - kAround) /
                     (kFullContrast * std::max(contrast, 1.0f));
  const int last_x = layer.samples.cols - 1;
  const int last_y = layer.samples.rows - 1;
  for (int column = 0; column < look.columns; ++column) {
    const float x = left + step * static_cast<float>(column);
    const int at_x = std::clamp(static_cast<int>(std::lround(x)), 0, last_x);
    const float base = line.base * scale + line.slope * x;
    for (int row = 0; row < LineLook::kRows; ++row) {
      const float y = base + step * (static_cast<float>(row) + 0.5f - kBaseRow);
      const int at_y = std::clamp(static_cast<int>(std::lround(y)), 0, last_y);
      const auto sample = static_cast<float>(layer.samples.at<uint8_t>(at_y, at_x));
      look.samples[static_cast<size_t>(row * look.columns + column)] =
          static_cast<uint8_t>(std::clamp(kInk + gain * (sample - level), 0.0f, 255.0f));
    }
  }
  return look;
}

std::array<float, LineNetShape::kFeatures> network_features(const LineFeatures& f) {
  return {std::min(std::log(f.count), 3.0f) / 2,
          std::min(std::log(f.wide), 3.0f) / 2,
          3 * std::min(f.aligned, 0.4f),
          2 * std::min(f.stroke, 0.6f),
          2 * std::min(f.level, 0.6f),
          3 * std::min(f.height, 0.5f),
          std::min(f.edge, 1.6f),
          std::log(f.contrast) - 3.5f,
          std::min(f.dense, 1.2f),
          f.fill,
          3 * std::min(f.thin, 0.5f),
          std::clamp(f.gap, -0.3f, 1.2f),
          (std::min(std::log(f.letter_px), 5.0f) - 2) / 2};
}

float text_probability(const TextLine& line) {
  const LineLook look = look_of(line);
  const auto features = network_features(line.features);
  const float sum = line_kernel()(look.samples.data(), look.columns, features.data(), kWeights);
  return 1 / (1 + std::exp(-sum));
}

}  // namespace zeroshelf
