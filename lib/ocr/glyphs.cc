// Tested by tests/ocr/pipeline_test.cc.

#include "lib/ocr/glyphs.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <utility>

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

bool has_a_letters_size(const Region& region, int layer_height) {
  const auto [width, height] = region.box.size();
  if (height < kLeastHeightPx || height > kGreatestHeightPx || height > layer_height / 2)
    return false;
  if (width > 16 * height || region.area < 8) return false;
  return static_cast<float>(region.area) >=
         0.1f * static_cast<float>(width) * static_cast<float>(height);
}

// 255 where the samples stand out from the mean by more than kLeastStep, else 0.
// where: only pixels that are set there, or everywhere when it is empty.
cv::Mat standing_out(const cv::Mat& samples, const cv::Mat& mean, Polarity polarity,
                     const cv::Mat& where) {
  cv::Mat inside(samples.size(), CV_8U);
  const bool bright = polarity == Polarity::Bright;
  const cv::Mat& high = bright ? samples : mean;
  const cv::Mat& low = bright ? mean : samples;
  const int width = samples.cols;  // a bound that the vectoriser knows to stay
  for (int y = 0; y < samples.rows; ++y) {
    const uint8_t* above = high.ptr<uint8_t>(y);
    const uint8_t* below = low.ptr<uint8_t>(y);
    uint8_t* out = inside.ptr<uint8_t>(y);
    for (int x = 0; x < width; ++x) {
      const auto step = static_cast<uint8_t>(std::max(above[x], below[x]) - below[x]);
      out[x] = step > kLeastStep ? 255 : 0;
    }
    if (where.empty()) continue;
    const uint8_t* wanted = where.ptr<uint8_t>(y);
    for (int x = 0; x < width; ++x) out[x] &= wanted[x];
  }
  return inside;
}

// Runs row by row; row y has those from first_of_row[y] to before first_of_row[y + 1].
struct RowRuns {
  std::vector<PixelRun> runs;
  std::vector<size_t> first_of_row;
};

// Where runs begin and end in a row of 255 and 0: an even number of places, in order. Eight pixels
// at a time: where a byte differs from the one before, a run begins or ends.
int* write_changes(const uint8_t* row, int length, int* out) {
  static_assert(std::endian::native == std::endian::little);
  const int* const first = out;
  uint64_t before = 0;
  int x = 0;
  for (; x + 8 <= length; x += 8) {
    uint64_t pixels = 0;
    std::memcpy(&pixels, row + x, sizeof(pixels));
    uint64_t changes = (pixels ^ (pixels << 8 | before >> 56)) & 0x0101010101010101;
    for (; changes != 0; changes &= changes - 1) *out++ = x + std::countr_zero(changes) / 8;
    before = pixels;
  }
  for (; x < length; ++x) {
    if ((row[x] != 0) != ((out - first) % 2 != 0)) *out++ = x;
  }
  if ((out - first) % 2 != 0) *out++ = length;
  return out;
}

RowRuns runs_in(const cv::Mat& inside) {
  RowRuns result;
  result.first_of_row.reserve(static_cast<size_t>(inside.rows) + 1);
  std::vector<int> changes(static_cast<size_t>(inside.cols) + 2);
  for (int y = 0; y < inside.rows; ++y) {
    result.first_of_row.push_back(result.runs.size());
    const int* const end = write_changes(inside.ptr<uint8_t>(y), inside.cols, changes.data());
    for (const int* change = changes.data(); change != end; change += 2)
      result.runs.push_back({y, change[0], change[1]});
  }
  result.first_of_row.push_back(result.runs.size());
  return result;
}

// For each run the first run of its region; regions touch with eight neighbours.
std::vector<uint32_t> first_of_regions(const RowRuns& rows) {
  std::vector<uint32_t> parent(rows.runs.size());
  const auto root = [&](uint32_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
  };
  for (size_t y = 0; y + 1 < rows.first_of_row.size(); ++y) {
    size_t above = y == 0 ? 0 : rows.first_of_row[y - 1];
    const size_t end = rows.first_of_row[y];
    for (size_t i = end; i < rows.first_of_row[y + 1]; ++i) {
      const PixelRun& run = rows.runs[i];
      while (above < end && rows.runs[above].end < run.begin) ++above;
      auto first = static_cast<uint32_t>(i);
      parent[i] = first;
      for (size_t j = above; j < end && rows.runs[j].begin <= run.end; ++j) {
        const uint32_t other = root(static_cast<uint32_t>(j));
        parent[std::max(first, other)] = std::min(first, other);
        first = std::min(first, other);
      }
    }
  }
  // A parent stands before its children.
  for (uint32_t& one : parent) one = parent[one];
  return parent;
}

// The regions by their first run, and the runs by region.
void take_regions(const RowRuns& rows, Layer& layer) {
  std::vector<uint32_t> region_of = first_of_regions(rows);
  layer.regions.clear();
  for (size_t i = 0; i < rows.runs.size(); ++i) {
    const PixelRun& run = rows.runs[i];
    const cv::Rect box(run.begin, run.y, run.end - run.begin, 1);
    if (region_of[i] == i) {
      region_of[i] = static_cast<uint32_t>(layer.regions.size());
      layer.regions.push_back({box, box.width, 0, 1});
      continue;
    }
    region_of[i] = region_of[region_of[i]];
    Region& region = layer.regions[region_of[i]];
    const int right = std::max(region.box.x + region.box.width, run.end);
    region.box.x = std::min(region.box.x, run.begin);
    region.box.width = right - region.box.x;
    region.box.height = run.y + 1 - region.box.y;
    region.area += box.width;
    ++region.run_count;
  }
  size_t first = 0;
  for (Region& region : layer.regions) {
    region.first_run = first;
    first += std::exchange(region.run_count, 0);
  }
  layer.runs.resize(rows.runs.size());
  for (size_t i = 0; i < rows.runs.size(); ++i) {
    Region& region = layer.regions[region_of[i]];
    layer.runs[region.first_run + region.run_count++] = rows.runs[i];
  }
}

struct Sums {
  int64_t level = 0;
  int64_t contrast = 0;
  int64_t edge = 0;
  int border = 0;  // pixels with a neighbour outside
};

// Over the pixels of a region. Neighbours that are inside are of the same region.
Sums sums_of(const Layer& layer, const Region& region, const cv::Mat& mean, const cv::Mat& inside) {
  int level = 0;
  int contrast = 0;
  int edge = 0;
  int border = 0;
  for (const PixelRun& run : layer.runs_of(region)) {
    const int y_above = std::max(0, run.y - 1);
    const int y_below = std::min(inside.rows - 1, run.y + 1);
    const uint8_t* above = inside.ptr<uint8_t>(y_above);
    const uint8_t* below = inside.ptr<uint8_t>(y_below);
    const uint8_t* sample = layer.samples.ptr<uint8_t>(run.y);
    const uint8_t* sample_above = layer.samples.ptr<uint8_t>(y_above);
    const uint8_t* sample_below = layer.samples.ptr<uint8_t>(y_below);
    const uint8_t* around = mean.ptr<uint8_t>(run.y);
    const auto step = [&](int x, int other) { return std::abs(sample[x] - other); };
    // The steps up and down, as far as they lead outside.
    const auto upright = [&](int x) {
      return std::max(step(x, sample_above[x]) & ~above[x], step(x, sample_below[x]) & ~below[x]);
    };
    for (int x = run.begin; x < run.end; ++x) {
      level += sample[x];
      contrast += step(x, around[x]);
      edge += upright(x);
      border += (above[x] & below[x]) == 0 ? 1 : 0;
    }
    // The first and the last pixel have a neighbour outside beside them, but at the margin.
    const int last = run.end - 1;
    const int left = run.begin > 0 ? step(run.begin, sample[run.begin - 1]) : -1;
    const int right = run.end < inside.cols ? step(last, sample[run.end]) : -1;
    const auto beside = [&](int x, int most) {
      if (most < 0) return;
      const int before = upright(x);
      edge += std::max(before, most) - before;
      border += (above[x] & below[x]) == 0 ? 0 : 1;
    };
    if (run.begin == last) {
      beside(last, std::max(left, right));
    } else {
      beside(run.begin, left);
      beside(last, right);
    }
  }
  return {level, contrast, edge, border};
}

std::optional<Glyph> glyph_of(const Layer& layer, size_t at, const Sums& sums) {
  if (sums.border == 0) return std::nullopt;
  const Region& region = layer.regions[at];
  const auto scale = static_cast<float>(layer.scale);
  const auto area = static_cast<float>(region.area);
  const auto border = static_cast<float>(sums.border);
  Glyph glyph;
  glyph.box = {static_cast<float>(region.box.x) / scale, static_cast<float>(region.box.y) / scale,
               static_cast<float>(region.box.width) / scale,
               static_cast<float>(region.box.height) / scale};
  glyph.stroke_px = 2 * area / border / scale;
  glyph.level = static_cast<float>(sums.level) / area;
  glyph.contrast = static_cast<float>(sums.contrast) / area;
  glyph.edge = static_cast<float>(sums.edge) / border;
  glyph.fill = area / static_cast<float>(region.box.area());
  glyph.region = at;
  const bool thin = glyph.box.width < 0.5f * glyph.box.height;
  if (glyph.contrast < kLeastContrast || glyph.edge < kLeastEdge) return std::nullopt;
  if (!thin && (glyph.fill > 0.93f || glyph.stroke_px > 0.55f * glyph.box.height))
    return std::nullopt;
  return glyph;
}

// mean: of the samples' neighbourhoods.
void find_in(Layer& layer, const cv::Mat& mean, const cv::Mat& where) {
  const cv::Mat inside = standing_out(layer.samples, mean, layer.polarity, where);
  take_regions(runs_in(inside), layer);
  for (size_t i = 0; i < layer.regions.size(); ++i) {
    const Region& region = layer.regions[i];
    if (!has_a_letters_size(region, layer.samples.rows)) continue;
    const Sums sums = sums_of(layer, region, mean, inside);
    if (const auto glyph = glyph_of(layer, i, sums)) layer.glyphs.push_back(*glyph);
  }
}

// The mean of the window around each pixel, where the picture's margin goes on for ever. Sums of 2,
// 4 and 8 columns side by side make those of 31.
cv::Mat mean_around(const cv::Mat& samples) {
  static_assert(kWindowPx == 31);
  constexpr int kHalf = kWindowPx / 2;
  const int width = samples.cols;
  const int last = samples.rows - 1;
  cv::Mat mean(samples.size(), CV_8U);
  const auto row = [&](int y) { return samples.ptr<uint8_t>(std::clamp(y, 0, last)); };
  const size_t wide = static_cast<size_t>(width) + kWindowPx - 1;
  std::vector<uint16_t> ones(wide), twos(wide), fours(wide), eights(wide);
  uint16_t* const columns = ones.data() + kHalf;  // each the sum of 31 pixels
  const auto add = [&](const uint8_t* in, const uint8_t* out) {
    for (int x = 0; x < width; ++x) columns[x] = static_cast<uint16_t>(columns[x] + in[x] - out[x]);
  };
  const std::vector<uint8_t> nothing(static_cast<size_t>(width));
  for (int y = -kHalf; y < kHalf; ++y) add(row(y), nothing.data());
  for (int y = 0; y <= last; ++y) {
    add(row(y + kHalf), y == 0 ? nothing.data() : row(y - kHalf - 1));
    std::fill_n(ones.data(), kHalf, columns[0]);
    std::fill_n(columns + width, kHalf, columns[width - 1]);
    const auto pairs = [&](const std::vector<uint16_t>& parts, size_t apart,
                           std::vector<uint16_t>& sums) {
      const uint16_t* const from = parts.data();
      uint16_t* const to = sums.data();
      for (size_t x = 0; x + 2 * apart <= wide; ++x)
        to[x] = static_cast<uint16_t>(from[x] + from[x + apart]);
    };
    pairs(ones, 1, twos);
    pairs(twos, 2, fours);
    pairs(fours, 4, eights);
    const uint16_t* const one = ones.data();
    const uint16_t* const two = twos.data();
    const uint16_t* const four = fours.data();
    const uint16_t* const eight = eights.data();
    uint8_t* const out = mean.ptr<uint8_t>(y);
    for (int x = 0; x < width; ++x) {
      const auto rest = static_cast<uint16_t>(four[x + 24] + two[x + 28] + one[x + 30]);
      const int sum = eight[x] + eight[x + 8] + eight[x + 16] + rest;
      out[x] = static_cast<uint8_t>(
          static_cast<int>(static_cast<float>(sum) * (1.0f / (kWindowPx * kWindowPx)) + 0.5f));
    }
  }
  return mean;
}

// The smallest of R, G and B for bright letters, the largest for dark ones.
cv::Mat extreme_of(const cv::Mat& rgb, Polarity polarity) {
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

}  // namespace

cv::Mat distance_from(const cv::Mat& rgb, const cv::Scalar& colour) {
  cv::Mat difference;
  cv::absdiff(rgb, colour, difference);
  return extreme_of(difference, Polarity::Dark);
}

cv::Mat halved(const cv::Mat& image) {
  const cv::Size half_size(std::max(1, image.cols / 2), std::max(1, image.rows / 2));
  const cv::Rect even(0, 0, std::min(image.cols, 2 * half_size.width),
                      std::min(image.rows, 2 * half_size.height));
  cv::Mat half;
  cv::resize(image(even), half, half_size, 0, 0, cv::INTER_AREA);
  return half;
}

float mean_level(const Layer& layer, const Region& region) {
  int64_t sum = 0;
  for (const PixelRun& run : layer.runs_of(region)) {
    const uint8_t* samples = layer.samples.ptr<uint8_t>(run.y);
    sum = std::accumulate(samples + run.begin, samples + run.end, sum);
  }
  return static_cast<float>(sum) / static_cast<float>(region.area);
}

cv::Mat samples_of(const cv::Mat& rgb, const Layer& layer) {
  cv::Mat result;
  switch (layer.channel) {
    case Channel::Luminance:
      cv::cvtColor(rgb, result, cv::COLOR_RGB2GRAY);
      break;
    case Channel::Extreme:
      result = extreme_of(rgb, layer.polarity);
      break;
    case Channel::Chroma:
      result = extreme_of(rgb, Polarity::Dark) - extreme_of(rgb, Polarity::Bright);
      break;
    case Channel::Ink:
      // What is as far away as the noise of a JPEG picture is still near.
      constexpr double kSteepness = 4;
      distance_from(rgb, layer.ink).convertTo(result, CV_8U, -kSteepness, 255);
      break;
  }
  return result;
}

namespace {

// Where a block of the grid begins that divides the length evenly.
int start_of(int block, int blocks, int length) {
  return static_cast<int>(int64_t{block} * length / blocks);
}

// Adds 1 where a pixel differs from the one to its left by more than the step.
void count_steps(const uint8_t* row, int length, uint8_t least_step, uint8_t* counts) {
  for (int x = 1; x < length; ++x) {
    const auto step =
        static_cast<uint8_t>(std::max(row[x], row[x - 1]) - std::min(row[x], row[x - 1]));
    counts[x] = static_cast<uint8_t>(counts[x] + (step > least_step ? 1 : 0));
  }
}

// 255 in and beside the blocks in which neighbouring pixels differ much, often enough for writing:
// small letters are not looked for elsewhere, which is most of a smooth or blurred picture.
cv::Mat crisp_parts(const cv::Mat& grey) {
  constexpr int kBlockPx = 32;
  constexpr int kLeastStepInside = 20;
  constexpr double kLeastPart = 0.0137;  // of a block's pixels
  if (grey.cols < 2 * kBlockPx || grey.rows < 2 * kBlockPx)
    return cv::Mat(grey.size(), CV_8U, cv::Scalar(255));
  const int columns = grey.cols / kBlockPx;
  const int rows = grey.rows / kBlockPx;
  cv::Mat counts(rows, columns, CV_32S);
  std::vector<uint8_t> in_column(static_cast<size_t>(grey.cols));  // of less than 64 pixels
  for (int j = 0; j < rows; ++j) {
    std::ranges::fill(in_column, uint8_t{0});
    for (int y = start_of(j, rows, grey.rows); y < start_of(j + 1, rows, grey.rows); ++y)
      count_steps(grey.ptr<uint8_t>(y), grey.cols, kLeastStepInside, in_column.data());
    for (int i = 0; i < columns; ++i) {
      counts.at<int>(j, i) =
          std::accumulate(in_column.begin() + start_of(i, columns, grey.cols),
                          in_column.begin() + start_of(i + 1, columns, grey.cols), 0);
    }
  }
  const double block_pixels =
      static_cast<double>(grey.total()) / static_cast<double>(counts.total());
  cv::Mat blocks = counts > kLeastPart * block_pixels;
  cv::dilate(blocks, blocks, cv::getStructuringElement(cv::MORPH_RECT, {3, 3}));
  cv::Mat result;
  cv::resize(blocks, result, grey.size(), 0, 0, cv::INTER_NEAREST);
  return result;
}

}  // namespace

std::vector<Layer> find_glyphs(const cv::Mat& rgb, const GlyphOptions& options) {
  constexpr size_t kMostLayers = 12;
  std::vector<Layer> layers;
  layers.reserve(kMostLayers);
  const auto look = [&](const cv::Mat& samples, const cv::Mat& mean, double scale,
                        Polarity polarity, Channel channel, const cv::Mat& where = {}) {
    if (std::min(samples.cols, samples.rows) < 8) return;
    Layer layer;
    layer.polarity = polarity;
    layer.scale = scale;
    layer.samples = samples;
    layer.channel = channel;
    find_in(layer, mean, where);
    if (layer.glyphs.size() >= kLeastGlyphs) layers.push_back(std::move(layer));
  };
  cv::Mat grey;
  cv::cvtColor(rgb, grey, cv::COLOR_RGB2GRAY);
  const cv::Mat crisp = crisp_parts(grey);
  if (cv::countNonZero(crisp) > 0) {
    const cv::Mat mean = mean_around(grey);
    for (const Polarity polarity : {Polarity::Bright, Polarity::Dark})
      look(grey, mean, 1, polarity, Channel::Luminance, crisp);
  }
  if (!options.large && !options.colour) return layers;
  cv::Mat half = halved(rgb);
  for (double scale = 0.5; scale >= 0.25; scale /= 2, half = halved(half)) {
    cv::Mat half_grey;
    cv::cvtColor(half, half_grey, cv::COLOR_RGB2GRAY);
    const cv::Mat mean = options.large ? mean_around(half_grey) : cv::Mat();
    if (options.large) {
      for (const Polarity polarity : {Polarity::Bright, Polarity::Dark})
        look(half_grey, mean, scale, polarity, Channel::Luminance);
    }
    if (options.colour) {
      const cv::Mat smallest = extreme_of(half, Polarity::Bright);
      const cv::Mat largest = extreme_of(half, Polarity::Dark);
      const cv::Mat chroma = largest - smallest;
      look(smallest, mean_around(smallest), scale, Polarity::Bright, Channel::Extreme);
      look(largest, mean_around(largest), scale, Polarity::Dark, Channel::Extreme);
      look(chroma, mean_around(chroma), scale, Polarity::Bright, Channel::Chroma);
    }
    if (!options.large) break;
  }
  return layers;
}

Layer find_glyphs_of_ink(const cv::Mat& rgb, const cv::Scalar& ink, float height_px) {
  constexpr float kGreatestLetterPx = 48;  // its strokes are less than half of the window
  Layer layer;
  layer.channel = Channel::Ink;
  layer.ink = ink;
  cv::Mat picture = rgb;
  while (static_cast<float>(layer.scale) * height_px > kGreatestLetterPx) {
    layer.scale /= 2;
    picture = halved(picture);
  }
  layer.samples = samples_of(picture, layer);
  find_in(layer, mean_around(layer.samples), {});
  return layer;
}

Layer glyphs_turned_by_90(const Layer& layer) {
  Layer turned;
  turned.polarity = layer.polarity;
  turned.scale = layer.scale;
  turned.channel = layer.channel;
  turned.ink = layer.ink;
  const float height = static_cast<float>(layer.samples.rows) / static_cast<float>(layer.scale);
  turned.glyphs = layer.glyphs;
  for (Glyph& glyph : turned.glyphs) {
    const cv::Rect2f box = glyph.box;
    glyph.box = {height - box.y - box.height, box.x, box.height, box.width};
  }
  return turned;
}

}  // namespace zeroshelf
