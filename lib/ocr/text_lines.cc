// Tested by tests/ocr/pipeline_test.cc.

#include "lib/ocr/text_lines.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lib/ocr/line_net.h"
#include "lib/ocr/median.h"

namespace zeroshelf {
namespace {

// Below that, the ratios alone tell that a row is no text, and nobody looks at it.
constexpr float kLeastLikely = 0.15f;
constexpr size_t kFewestGlyphs = 2;
constexpr float kSteepest = 0.14f;  // 8 degrees

float right_of(const Glyph& glyph) {
  return glyph.box.x + glyph.box.width;
}
float bottom_of(const Glyph& glyph) {
  return glyph.box.y + glyph.box.height;
}

// Whether b may follow a in a line.
bool may_follow(const Glyph& a, const Glyph& b) {
  const float taller = std::max(a.box.height, b.box.height);
  const float lower = std::min(a.box.height, b.box.height);
  if (lower < 0.42f * taller) return false;
  const float gap = b.box.x - right_of(a);
  if (gap > 1.1f * taller || gap < -0.35f * lower) return false;
  const float overlap = std::min(bottom_of(a), bottom_of(b)) - std::max(a.box.y, b.box.y);
  if (overlap < 0.55f * lower) return false;
  if (std::abs(a.level - b.level) > 55) return false;
  const float thicker = std::max(a.stroke_px, b.stroke_px);
  return thicker < 2.3f * std::min(a.stroke_px, b.stroke_px);
}

// Line through the points by least absolute residuals' cheap cousin: the median of the slopes
// between points that are far apart, and the median offset.
struct Fit {
  float slope = 0;
  float residual = 0;  // median distance
};
Fit fit(const std::vector<cv::Point2f>& points) {
  std::vector<float> slopes;
  const size_t apart = std::max<size_t>(1, points.size() / 2);
  for (size_t i = 0; i + apart < points.size(); ++i) {
    const cv::Point2f step = points[i + apart] - points[i];
    if (step.x > 1) slopes.push_back(step.y / step.x);
  }
  Fit result;
  if (!slopes.empty()) result.slope = median(slopes);
  std::vector<float> offsets;
  for (const cv::Point2f& point : points) offsets.push_back(point.y - result.slope * point.x);
  const float offset = median(offsets);
  for (float& value : offsets) value = std::abs(value - offset);
  result.residual = median(offsets);
  return result;
}

float deviation(const std::vector<float>& values) {
  const float middle = median(values);
  std::vector<float> off;
  for (const float value : values) off.push_back(std::abs(value - middle));
  return median(off);
}

float spread(const std::vector<float>& values) {
  return deviation(values) / std::max(median(values), 0.5f);
}

// A logistic regression, fitted to the rows of glyphs of the development set of ./dev bench ocr:
// those whose reading is half right against those that have no text in them.
float probability(const LineFeatures& f) {
  const float sum = -11.95f + 0.15f * std::min(std::log(f.count), 3.0f) +
                    1.76f * std::min(std::log(f.wide), 3.0f) - 7.06f * std::min(f.aligned, 0.4f) -
                    1.46f * std::min(f.stroke, 0.6f) - 3.93f * std::min(f.level, 0.6f) -
                    2.87f * std::min(f.height, 0.5f) - 0.88f * std::min(f.edge, 1.6f) +
                    3.16f * std::log(f.contrast) + 2.93f * std::min(f.dense, 1.2f) +
                    9.11f * f.fill - 9.26f * std::min(f.thin, 0.5f) -
                    2.63f * std::clamp(f.gap, -0.3f, 1.2f) -
                    2.41f * std::min(std::log(f.letter_px), 5.0f);
  return 1 / (1 + std::exp(-sum));
}

// The slope of the base line. In a short line one tall letter tilts the top, and one with a
// descender the base.
float slope_of(size_t glyphs, const Fit& top, const Fit& bottom) {
  constexpr size_t kFewest = 4;
  constexpr size_t kMany = 8;
  if (glyphs < kFewest) return 0;
  const bool is_top_flatter = std::abs(top.slope) < std::abs(bottom.slope);
  return glyphs < kMany && is_top_flatter ? top.slope : bottom.slope;
}

TextLine line_of(const Layer& layer, std::vector<const Glyph*> glyphs) {
  TextLine line;
  line.layer = &layer;
  line.glyphs = std::move(glyphs);
  std::vector<float> heights, strokes, levels;
  std::vector<cv::Point2f> bottoms, tops;
  float edge = 0;
  float inked = 0;
  float fill = 0;
  std::vector<float> contrasts;
  for (const Glyph* glyph : line.glyphs) {
    const cv::Rect2f& box = glyph->box;
    heights.push_back(box.height);
    strokes.push_back(glyph->stroke_px);
    levels.push_back(glyph->level);
    bottoms.emplace_back(box.x + box.width / 2, bottom_of(*glyph));
    tops.emplace_back(box.x + box.width / 2, box.y);
    edge += glyph->edge / std::max(1.0f, glyph->contrast);
    inked += box.width;
    fill += glyph->fill;
    contrasts.push_back(glyph->contrast);
  }
  const auto count = static_cast<float>(line.glyphs.size());
  std::vector<float> sorted = heights;
  std::ranges::sort(sorted);
  line.height_px = sorted[sorted.size() * 3 / 4];
  const Fit bottom = fit(bottoms);
  const Fit top = fit(tops);
  line.slope = slope_of(line.glyphs.size(), top, bottom);
  line.base = median(bottoms, [&](const cv::Point2f& at) { return at.y - line.slope * at.x; });
  for (const Glyph* glyph : line.glyphs) {
    const cv::Rect2f box = box_in_line(line, *glyph);
    line.box = line.box.area() > 0 ? line.box | box : box;
  }
  std::vector<float> gaps = {0};
  for (size_t i = 1; i < line.glyphs.size(); ++i)
    gaps.push_back(line.glyphs[i]->box.x - right_of(*line.glyphs[i - 1]));
  LineFeatures& features = line.features;
  features.count = count;
  features.wide = line.box.width / line.height_px;
  features.aligned = std::min(bottom.residual, top.residual) / line.height_px;
  features.stroke = spread(strokes);
  features.contrast = median(contrasts);
  features.level = deviation(levels) / features.contrast;
  features.height = spread(heights);
  features.edge = edge / count;
  features.dense = inked / line.box.width;
  features.fill = fill / count;
  features.thin = median(strokes) / line.height_px;
  features.gap = median(gaps) / line.height_px;
  features.letter_px = line.height_px * static_cast<float>(layer.scale);
  line.quality = probability(features);
  if (features.wide < 1 || std::abs(line.slope) > kSteepest) line.quality = 0;
  return line;
}

// Each glyph's nearest follower that has no nearer predecessor.
std::vector<std::vector<const Glyph*>> chains_of(const Layer& layer) {
  std::vector<const Glyph*> glyphs;
  for (const Glyph& glyph : layer.glyphs) glyphs.push_back(&glyph);
  std::ranges::sort(glyphs, {},
                    [](const Glyph* glyph) { return std::pair(glyph->box.x, glyph->box.y); });
  const size_t count = glyphs.size();
  constexpr size_t kNone = static_cast<size_t>(-1);
  std::vector<size_t> next(count, kNone), previous(count, kNone);
  const auto distance = [&](size_t a, size_t b) {
    const Glyph& left = *glyphs[a];
    const Glyph& right = *glyphs[b];
    const float dx = std::max(0.0f, right.box.x - right_of(left));
    const float dy = std::abs(bottom_of(left) - bottom_of(right));
    return dx + 0.7f * dy + std::abs(left.box.height - right.box.height) * 0.5f;
  };
  for (size_t i = 0; i < count; ++i) {
    const float reach = right_of(*glyphs[i]) + 2.7f * glyphs[i]->box.height;
    size_t best = kNone;
    for (size_t j = i + 1; j < count && glyphs[j]->box.x <= reach; ++j) {
      if (glyphs[j]->box.x + glyphs[j]->box.width / 2 <=
          glyphs[i]->box.x + glyphs[i]->box.width / 2)
        continue;
      if (!may_follow(*glyphs[i], *glyphs[j])) continue;
      if (best == kNone || distance(i, j) < distance(i, best)) best = j;
    }
    if (best == kNone) continue;
    if (previous[best] != kNone) {
      if (distance(previous[best], best) <= distance(i, best)) continue;
      next[previous[best]] = kNone;
    }
    next[i] = best;
    previous[best] = i;
  }
  std::vector<std::vector<const Glyph*>> chains;
  for (size_t i = 0; i < count; ++i) {
    if (previous[i] != kNone) continue;
    std::vector<const Glyph*> chain;
    for (size_t at = i; at != kNone; at = next[at]) chain.push_back(glyphs[at]);
    chains.push_back(std::move(chain));
  }
  return chains;
}

// Chains that stand in one row with no more than a wide space between them become one line.
void join_rows(std::vector<TextLine>& lines) {
  std::ranges::sort(lines, {}, [](const TextLine& line) { return line.box.x; });
  for (size_t i = 0; i < lines.size(); ++i) {
    for (size_t j = i + 1; j < lines.size(); ++j) {
      const TextLine& a = lines[i];
      const TextLine& b = lines[j];
      const float height = std::max(a.height_px, b.height_px);
      if (std::min(a.height_px, b.height_px) < 0.6f * height) continue;
      const float gap = b.box.x - (a.box.x + a.box.width);
      if (gap > 1.6f * height || gap < -0.3f * height) continue;
      const Glyph& last = *a.glyphs.back();
      const Glyph& first = *b.glyphs.front();
      const float run = first.box.x - last.box.x;
      if (std::abs(bottom_of(last) + a.slope * run - bottom_of(first)) > 0.45f * height) continue;
      if (std::abs(last.level - first.level) > 60) continue;
      std::vector<const Glyph*> glyphs = a.glyphs;
      glyphs.insert(glyphs.end(), b.glyphs.begin(), b.glyphs.end());
      TextLine joined = line_of(*a.layer, std::move(glyphs));
      if (joined.quality < 0.6f * std::max(a.quality, b.quality)) continue;
      lines[i] = std::move(joined);
      lines.erase(lines.begin() + static_cast<ptrdiff_t>(j));
      j = i;
    }
  }
}

}  // namespace

cv::Rect2f box_in_line(const TextLine& line, const Glyph& glyph) {
  // In heights of a tall letter, which in a line of few tall letters is that of the small ones.
  constexpr float kAbove = 1.8f;
  constexpr float kBelow = 0.6f;
  const float base = line.base + line.slope * (glyph.box.x + glyph.box.width / 2);
  const auto inside = [&](float y) {
    return std::clamp(y, base - kAbove * line.height_px, base + kBelow * line.height_px);
  };
  const float top = inside(glyph.box.y);
  return {glyph.box.x, top, glyph.box.width, inside(bottom_of(glyph)) - top};
}

std::vector<TextLine> find_candidates(const std::vector<Layer>& layers) {
  std::vector<TextLine> all;
  for (const Layer& layer : layers) {
    std::vector<TextLine> lines;
    for (auto& chain : chains_of(layer)) {
      if (chain.size() < kFewestGlyphs) continue;
      TextLine line = line_of(layer, std::move(chain));
      if (line.quality > 0.05f) lines.push_back(std::move(line));
    }
    join_rows(lines);
    for (TextLine& line : lines) {
      if (line.quality >= kLeastLikely) all.push_back(std::move(line));
    }
  }
  return all;
}

bool is_likely_text(TextLine& line) {
  constexpr float kLeastQuality = 0.25f;
  line.quality = text_probability(line);
  return line.quality >= kLeastQuality;
}

std::vector<TextLine> find_lines(const std::vector<Layer>& layers) {
  std::vector<TextLine> lines = find_candidates(layers);
  std::erase_if(lines, [](TextLine& line) { return !is_likely_text(line); });
  return lines;
}

}  // namespace zeroshelf
