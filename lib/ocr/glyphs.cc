// Tested by tests/ocr/pipeline_test.cc.

#include "lib/ocr/glyphs.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <opencv2/imgproc.hpp>

namespace zeroshelf {
namespace {

// In pixels of a layer. The window must be more than twice as wide as a letter's strokes.
constexpr int kWindowPx = 31;
constexpr int kLeastStep = 16;  // grey levels above the neighbourhood's mean
constexpr int kLeastHeightPx = 5;
constexpr int kGreatestHeightPx = 110;
constexpr float kLeastContrast = 22;
constexpr float kLeastEdge = 9;
constexpr size_t kLeastGlyphs = 2;

struct Sums {
  int64_t level = 0;
  int64_t contrast = 0;
  int64_t edge = 0;
  int border = 0;
};

bool has_a_letters_size(const int* stats, int layer_height) {
  const int width = stats[cv::CC_STAT_WIDTH];
  const int height = stats[cv::CC_STAT_HEIGHT];
  const int area = stats[cv::CC_STAT_AREA];
  if (height < kLeastHeightPx || height > kGreatestHeightPx || height > layer_height / 2)
    return false;
  if (width > 16 * height || area < 8) return false;
  return static_cast<float>(area) >= 0.1f * static_cast<float>(width) * static_cast<float>(height);
}

// What is inside each region that has a letter's size, in one pass over the pixels.
std::vector<Sums> sums_of(const Layer& layer, const cv::Mat& mean,
                          const std::vector<uint8_t>& wanted) {
  std::vector<Sums> sums(wanted.size());
  const int last_x = layer.labels.cols - 1;
  const int last_y = layer.labels.rows - 1;
  for (int y = 0; y <= last_y; ++y) {
    const int* label = layer.labels.ptr<int>(y);
    const int* above = layer.labels.ptr<int>(std::max(0, y - 1));
    const int* below = layer.labels.ptr<int>(std::min(last_y, y + 1));
    const uint8_t* sample = layer.samples.ptr<uint8_t>(y);
    const uint8_t* sample_above = layer.samples.ptr<uint8_t>(std::max(0, y - 1));
    const uint8_t* sample_below = layer.samples.ptr<uint8_t>(std::min(last_y, y + 1));
    const uint8_t* around = mean.ptr<uint8_t>(y);
    for (int x = 0; x <= last_x; ++x) {
      const int at = label[x];
      if (wanted[at] == 0) continue;
      Sums& sum = sums[at];
      sum.level += sample[x];
      sum.contrast += std::abs(sample[x] - around[x]);
      const int left = std::max(0, x - 1);
      const int right = std::min(last_x, x + 1);
      int step = -1;
      if (label[left] != at) step = std::max(step, std::abs(sample[x] - sample[left]));
      if (label[right] != at) step = std::max(step, std::abs(sample[x] - sample[right]));
      if (above[x] != at) step = std::max(step, std::abs(sample[x] - sample_above[x]));
      if (below[x] != at) step = std::max(step, std::abs(sample[x] - sample_below[x]));
      if (step >= 0) {
        sum.edge += step;
        ++sum.border;
      }
    }
  }
  return sums;
}

// What cv::connectedComponentsWithStats gives but for the background, at a fraction of its time.
cv::Mat stats_of(const cv::Mat& labels, int count) {
  cv::Mat stats(count, cv::CC_STAT_MAX, CV_32S);
  for (int i = 0; i < count; ++i) {
    int* box = stats.ptr<int>(i);
    box[cv::CC_STAT_LEFT] = labels.cols;
    box[cv::CC_STAT_TOP] = labels.rows;
    box[cv::CC_STAT_WIDTH] = box[cv::CC_STAT_HEIGHT] = box[cv::CC_STAT_AREA] = 0;
  }
  // WIDTH and HEIGHT hold the last column and row until the end.
  for (int y = 0; y < labels.rows; ++y) {
    const int* label = labels.ptr<int>(y);
    for (int x = 0; x < labels.cols; ++x) {
      if (label[x] == 0) continue;
      int* box = stats.ptr<int>(label[x]);
      box[cv::CC_STAT_LEFT] = std::min(box[cv::CC_STAT_LEFT], x);
      box[cv::CC_STAT_TOP] = std::min(box[cv::CC_STAT_TOP], y);
      box[cv::CC_STAT_WIDTH] = std::max(box[cv::CC_STAT_WIDTH], x);
      box[cv::CC_STAT_HEIGHT] = y;
      ++box[cv::CC_STAT_AREA];
    }
  }
  for (int i = 1; i < count; ++i) {
    int* box = stats.ptr<int>(i);
    box[cv::CC_STAT_WIDTH] += 1 - box[cv::CC_STAT_LEFT];
    box[cv::CC_STAT_HEIGHT] += 1 - box[cv::CC_STAT_TOP];
  }
  return stats;
}

// where: only pixels that are set there, or everywhere when it is empty.
void find_in(Layer& layer, const cv::Mat& where) {
  cv::Mat mean;
  cv::boxFilter(layer.samples, mean, -1, {kWindowPx, kWindowPx}, {-1, -1}, true,
                cv::BORDER_REPLICATE);
  cv::Mat difference;
  if (layer.polarity == Polarity::Bright) {
    cv::subtract(layer.samples, mean, difference);
  } else {
    cv::subtract(mean, layer.samples, difference);
  }
  cv::Mat inside = difference > kLeastStep;
  if (!where.empty()) inside &= where;
  const int count = cv::connectedComponents(inside, layer.labels, 8, CV_32S);
  const cv::Mat& stats = layer.stats = stats_of(layer.labels, count);
  std::vector<uint8_t> wanted(static_cast<size_t>(count), 0);
  for (int i = 1; i < count; ++i)
    wanted[i] = has_a_letters_size(stats.ptr<int>(i), layer.samples.rows) ? 1 : 0;
  const std::vector<Sums> sums = sums_of(layer, mean, wanted);
  const auto scale = static_cast<float>(layer.scale);
  for (int i = 1; i < count; ++i) {
    if (wanted[i] == 0 || sums[i].border == 0) continue;
    const int* box = stats.ptr<int>(i);
    const auto area = static_cast<float>(box[cv::CC_STAT_AREA]);
    Glyph glyph;
    glyph.box = {static_cast<float>(box[cv::CC_STAT_LEFT]) / scale,
                 static_cast<float>(box[cv::CC_STAT_TOP]) / scale,
                 static_cast<float>(box[cv::CC_STAT_WIDTH]) / scale,
                 static_cast<float>(box[cv::CC_STAT_HEIGHT]) / scale};
    const auto border = static_cast<float>(sums[i].border);
    glyph.stroke_px = 2 * area / border / scale;
    glyph.level = static_cast<float>(sums[i].level) / area;
    glyph.contrast = static_cast<float>(sums[i].contrast) / area;
    glyph.edge = static_cast<float>(sums[i].edge) / border;
    glyph.fill = area / static_cast<float>(box[cv::CC_STAT_WIDTH] * box[cv::CC_STAT_HEIGHT]);
    glyph.label = i;
    const bool thin = glyph.box.width < 0.5f * glyph.box.height;
    if (glyph.contrast < kLeastContrast || glyph.edge < kLeastEdge) continue;
    if (!thin && (glyph.fill > 0.93f || glyph.stroke_px > 0.55f * glyph.box.height)) continue;
    layer.glyphs.push_back(glyph);
  }
}

}  // namespace

cv::Mat extreme_channel(const cv::Mat& rgb, Polarity polarity) {
  cv::Mat channels[3];
  cv::split(rgb, channels);
  cv::Mat result;
  if (polarity == Polarity::Bright) {
    cv::min(channels[0], channels[1], result);
    cv::min(result, channels[2], result);
  } else {
    cv::max(channels[0], channels[1], result);
    cv::max(result, channels[2], result);
  }
  return result;
}

namespace {

// 255 in and beside the blocks in which neighbouring pixels differ much, often enough for writing:
// small letters are not looked for elsewhere, which is most of a smooth or blurred picture.
cv::Mat crisp_parts(const cv::Mat& grey) {
  constexpr int kBlockPx = 32;
  constexpr int kLeastStepInside = 20;
  constexpr double kLeastPart = 0.012;  // of a block's pixels
  if (grey.cols < 2 * kBlockPx || grey.rows < 2 * kBlockPx)
    return cv::Mat(grey.size(), CV_8U, cv::Scalar(255));
  cv::Mat step;
  cv::absdiff(grey.colRange(1, grey.cols), grey.colRange(0, grey.cols - 1), step);
  cv::Mat blocks;
  cv::resize(step > kLeastStepInside, blocks, {grey.cols / kBlockPx, grey.rows / kBlockPx}, 0, 0,
             cv::INTER_AREA);
  blocks = blocks > 255 * kLeastPart;
  cv::dilate(blocks, blocks, cv::getStructuringElement(cv::MORPH_RECT, {3, 3}));
  cv::Mat result;
  cv::resize(blocks, result, grey.size(), 0, 0, cv::INTER_NEAREST);
  return result;
}

}  // namespace

std::vector<Layer> find_glyphs(const cv::Mat& rgb, const GlyphOptions& options) {
  std::vector<Layer> layers;
  const auto look = [&](const cv::Mat& samples, double scale, Polarity polarity, bool extreme,
                        const cv::Mat& where = {}) {
    if (std::min(samples.cols, samples.rows) < 8) return;
    Layer layer{polarity, scale, samples, {}, {}, extreme, {}};
    find_in(layer, where);
    if (layer.glyphs.size() >= kLeastGlyphs) layers.push_back(std::move(layer));
  };
  cv::Mat grey;
  cv::cvtColor(rgb, grey, cv::COLOR_RGB2GRAY);
  const cv::Mat crisp = crisp_parts(grey);
  if (cv::countNonZero(crisp) > 0) {
    for (const Polarity polarity : {Polarity::Bright, Polarity::Dark})
      look(grey, 1, polarity, false, crisp);
  }
  if (!options.large && !options.colour) return layers;
  const auto halved = [](const cv::Mat& image) {
    cv::Mat half;
    cv::resize(image, half, {std::max(1, image.cols / 2), std::max(1, image.rows / 2)}, 0, 0,
               cv::INTER_AREA);
    return half;
  };
  cv::Mat half = halved(rgb);
  for (double scale = 0.5; scale >= 0.25; scale /= 2, half = halved(half)) {
    cv::Mat half_grey;
    cv::cvtColor(half, half_grey, cv::COLOR_RGB2GRAY);
    for (const Polarity polarity : {Polarity::Bright, Polarity::Dark}) {
      if (options.large) look(half_grey, scale, polarity, false);
      if (options.colour) look(extreme_channel(half, polarity), scale, polarity, true);
    }
    if (!options.large) break;
  }
  return layers;
}

}  // namespace zeroshelf
