// Tested by tests/ocr/pipeline_test.cc.

#include "lib/ocr/strip.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <opencv2/imgproc.hpp>

#include "lib/ocr/median.h"

namespace zeroshelf {
namespace {

constexpr double kMostScale = 6;
constexpr double kMargin = 0.4;  // around the line, in heights of a tall letter
constexpr int kMostLengthPx = 6000;
constexpr float kWidestGap = 1.4f;  // between the letters of a row, in heights of a tall letter

struct Frame {
  double scale = 1;
  cv::Size size;
  cv::Matx23d to_strip;  // from the picture
  cv::Matx23d to_picture;
};

// tall_px: how high a tall letter is to be in the strip.
Frame frame_of(const TextLine& line, double tall_px) {
  const double angle = std::atan(line.slope);
  const double cosine = std::cos(angle);
  const double sine = std::sin(angle);
  const cv::Point2d centre(line.box.x + line.box.width / 2, line.box.y + line.box.height / 2);
  double left = 1e9, right = -1e9, top = 1e9, bottom = -1e9;
  for (const Glyph* glyph : line.glyphs) {
    const cv::Rect2f box = box_in_line(line, *glyph);
    const double middle_x = box.x + box.width / 2 - centre.x;
    for (const double y : {box.y - centre.y, box.y + box.height - centre.y}) {
      const double v = -sine * middle_x + cosine * y;
      top = std::min(top, v);
      bottom = std::max(bottom, v);
    }
    left = std::min(left, cosine * (box.x - centre.x));
    right = std::max(right, cosine * (box.x + box.width - centre.x));
  }
  const double margin = kMargin * line.height_px;
  left -= line.reach.left + 1.5 * margin;
  right += line.reach.right + 1.5 * margin;
  top -= line.reach.above + margin;
  bottom += margin;
  Frame frame;
  frame.scale = std::min({kMostScale, tall_px / line.height_px, kMostLengthPx / (right - left)});
  frame.size = {std::max(8, static_cast<int>((right - left) * frame.scale)),
                std::max(8, static_cast<int>((bottom - top) * frame.scale))};
  const double back = 1 / frame.scale;
  frame.to_picture = {cosine * back, -sine * back,  centre.x + cosine * left - sine * top,
                      sine * back,   cosine * back, centre.y + sine * left + cosine * top};
  cv::Matx23d inverse;
  cv::invertAffineTransform(frame.to_picture, inverse);
  frame.to_strip = inverse;
  return frame;
}

// The upright box around the image of a strip of this size.
cv::Rect around(const cv::Matx23d& map, const cv::Size& size) {
  double left = 1e9, right = -1e9, top = 1e9, bottom = -1e9;
  for (const cv::Vec3d& corner :
       {cv::Vec3d(0, 0, 1), cv::Vec3d(size.width, 0, 1), cv::Vec3d(0, size.height, 1),
        cv::Vec3d(size.width, size.height, 1)}) {
    const cv::Vec2d at = map * corner;
    left = std::min(left, at[0]);
    right = std::max(right, at[0]);
    top = std::min(top, at[1]);
    bottom = std::max(bottom, at[1]);
  }
  const cv::Point first(static_cast<int>(std::floor(left)) - 1,
                        static_cast<int>(std::floor(top)) - 1);
  return {first, cv::Point(static_cast<int>(std::ceil(right)) + 2,
                           static_cast<int>(std::ceil(bottom)) + 2)};
}

// The part of the picture under the strip, smoothed where it shrinks much. rgb_scale: pixels of rgb
// a pixel of the picture.
cv::Mat cut(const cv::Mat& rgb, const Frame& frame, double rgb_scale) {
  const double scale = frame.scale / rgb_scale;
  double shrink = 1;
  cv::Mat from = rgb;
  cv::Matx23d map = frame.to_picture * rgb_scale;
  if (scale < 0.55) {
    // Only what the strip needs is smoothed.
    shrink = std::pow(2, std::floor(std::log2(1 / scale)));
    const cv::Rect part = around(map, frame.size) & cv::Rect(0, 0, rgb.cols, rgb.rows);
    if (!part.empty()) {
      cv::resize(rgb(part), from,
                 {std::max(1, static_cast<int>(part.width / shrink)),
                  std::max(1, static_cast<int>(part.height / shrink))},
                 0, 0, cv::INTER_AREA);
      const double x = static_cast<double>(from.cols) / part.width;
      const double y = static_cast<double>(from.rows) / part.height;
      map = {map(0, 0) * x, map(0, 1) * x, (map(0, 2) - part.x) * x,
             map(1, 0) * y, map(1, 1) * y, (map(1, 2) - part.y) * y};
    }
  }
  cv::Mat result;
  cv::warpAffine(from, result, map, frame.size,
                 (scale > 1 ? cv::INTER_CUBIC : cv::INTER_LINEAR) | cv::WARP_INVERSE_MAP,
                 cv::BORDER_REPLICATE);
  return result;
}

// How far accents and dots reach above a line without tall letters, beyond what every strip shows
// above its letters. In pixels of the picture; 0 for most lines.
float reach_of_marks(const TextLine& line, float level, float contrast) {
  constexpr float kHighestMark = 0.5f;  // in heights of a tall letter, as all here
  constexpr float kHighestTop = 1.7f;   // of a mark, above the base line
  constexpr float kShown = 0.3f;        // above the letters, with some room before the edge
  const Layer& layer = *line.layer;
  const auto scale = static_cast<float>(layer.scale);
  const float letter = line.height_px * scale;
  const float stroke = scale * median(line.glyphs, std::mem_fn(&Glyph::stroke_px));
  const float left = line.box.x * scale;
  const float right = (line.box.x + line.box.width) * scale;
  float highest = 1 + kShown;
  for (const Region& region : layer.regions) {
    const cv::Rect& box = region.box;
    const float middle = static_cast<float>(box.x) + static_cast<float>(box.width) / 2;
    if (middle < left || middle > right) continue;
    const float base = line.base * scale + line.slope * middle;
    const float top = (base - static_cast<float>(box.y)) / letter;
    const float bottom = (base - static_cast<float>(box.y + box.height)) / letter;
    if (bottom < 1 || top > kHighestTop || top <= highest) continue;
    if (static_cast<float>(box.height) > kHighestMark * letter ||
        static_cast<float>(box.width) > letter)
      continue;
    if (static_cast<float>(region.area) < 0.45f * stroke * stroke) continue;
    if (std::abs(mean_level(layer, region) - level) > 0.6f * contrast) continue;
    highest = top;
  }
  return (highest - 1 - kShown) * line.height_px;
}

// Pixels of a layer around a line.
struct Mask {
  cv::Rect area;   // of the layer
  cv::Mat pixels;  // CV_8U

  // As far as the region lies in the area.
  void set(const Layer& layer, const Region& region) {
    for (const PixelRun& run : layer.runs_of(region)) {
      if (run.y < area.y || run.y >= area.y + area.height) continue;
      const int begin = std::max(run.begin - area.x, 0);
      const int end = std::min(run.end - area.x, area.width);
      uint8_t* const row = pixels.ptr<uint8_t>(run.y - area.y);
      if (begin < end) std::fill(row + begin, row + end, uint8_t{255});
    }
  }
};

// The pixels of the line's glyphs.
Mask glyph_mask(const TextLine& line) {
  const Layer& layer = *line.layer;
  const auto scale = static_cast<float>(layer.scale);
  const cv::Rect area =
      cv::Rect(
          static_cast<int>((line.box.x - 0.7f * line.height_px) * scale),
          static_cast<int>((line.box.y - line.reach.above - 0.35f * line.height_px) * scale),
          static_cast<int>((line.box.width + 1.4f * line.height_px) * scale) + 2,
          static_cast<int>((line.box.height + line.reach.above + 0.7f * line.height_px) * scale) +
              2) &
      cv::Rect({}, layer.samples.size());
  Mask mask{area, cv::Mat::zeros(area.size(), CV_8U)};
  for (const Glyph* glyph : line.glyphs) mask.set(layer, layer.regions[glyph->region]);
  return mask;
}

// The glyphs with what is too small to be one (dots, commas) beside them.
Mask ink_mask(const Mask& glyphs, const TextLine& line, float level, float contrast) {
  const Layer& layer = *line.layer;
  const auto scale = static_cast<float>(layer.scale);
  const float height = line.height_px * scale;
  Mask mask{glyphs.area, glyphs.pixels.clone()};
  const float stroke = scale * median(line.glyphs, std::mem_fn(&Glyph::stroke_px));
  for (const Region& region : layer.regions) {
    const cv::Rect& box = region.box;
    if ((box & mask.area) != box) continue;
    const auto tall = static_cast<float>(box.height);
    if (tall > 1.25f * height || static_cast<float>(box.width) > 1.6f * height) continue;
    if (static_cast<float>(region.area) < 0.45f * stroke * stroke) continue;
    const float base = line.base * scale + line.slope * static_cast<float>(box.x);
    const float below = static_cast<float>(box.y + box.height) - base;
    if (below > 0.4f * height || below < -(1.15f * height + scale * line.reach.above)) continue;
    if (std::abs(mean_level(layer, region) - level) > 0.6f * contrast) continue;
    mask.set(layer, region);
  }
  cv::dilate(mask.pixels, mask.pixels, cv::getStructuringElement(cv::MORPH_RECT, {3, 3}));
  return mask;
}

// A mask as it lies under the strip.
cv::Mat in_strip(const Mask& mask, const TextLine& line, const Frame& frame) {
  cv::Matx23d to_mask = frame.to_picture * line.layer->scale;
  to_mask(0, 2) -= mask.area.x;
  to_mask(1, 2) -= mask.area.y;
  cv::Mat result;
  cv::warpAffine(mask.pixels, result, to_mask, frame.size, cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                 cv::BORDER_CONSTANT, 0);
  return result;
}

// The value below which the given part of the pixels lies.
int quantile(const cv::Mat& values, const cv::Mat& where, double part) {
  int counts[256] = {};
  int64_t all = 0;
  for (int y = 0; y < values.rows; ++y) {
    const uint8_t* value = values.ptr<uint8_t>(y);
    const uint8_t* wanted = where.ptr<uint8_t>(y);
    for (int x = 0; x < values.cols; ++x) {
      if (wanted[x] == 0) continue;
      ++counts[value[x]];
      ++all;
    }
  }
  int64_t left = static_cast<int64_t>(part * static_cast<double>(all));
  int value = 0;
  while (value < 255 && left >= counts[value]) left -= counts[value++];
  return value;
}

// The colour of the letters' cores.
cv::Scalar ink_colour(const cv::Mat& rgb, const cv::Mat& glyphs, const Layer& layer) {
  const cv::Mat samples = samples_of(rgb, layer);
  const cv::Mat inside = glyphs > 200;
  const int middle = quantile(samples, inside, 0.5);
  cv::Mat core = layer.polarity == Polarity::Bright ? samples >= middle : samples <= middle;
  core &= inside;
  return cv::mean(rgb, core);
}

// How far each pixel's colour is from the letters', as grey: 0 is ink. Where nothing around the
// letters comes near their colour the scale reaches as far as the background, so that the letters
// keep their soft edges; elsewhere it is shorter, so that what is only similar becomes white. Lines
// that were found by their ink may stand before what is hardly different.
cv::Mat distance_from_ink(const cv::Mat& rgb, const cv::Scalar& ink, const cv::Mat& glyphs,
                          Channel channel) {
  const double shortest = channel == Channel::Ink ? 20 : 45;
  cv::Mat distance = distance_from(rgb, ink);
  cv::Mat around;
  cv::dilate(glyphs, around, cv::getStructuringElement(cv::MORPH_RECT, {5, 5}));
  const double range = std::clamp<double>(quantile(distance, around < 20, 0.15), shortest, 255);
  distance.convertTo(distance, CV_8U, 255 / range);
  return distance;
}

// White wherever the mask is not set.
void keep_ink(cv::Mat& grey, const cv::Mat& mask) {
  cv::Mat ink = 255 - grey;
  cv::multiply(ink, mask, ink, 1.0 / 255);
  grey = 255 - ink;
}

// Specks, and what is larger than letters or reaches out of the strip. glyphs: the line's own,
// which may be as tall as an ascender in a line of small letters, from which letter_px was taken.
void remove_what_is_no_letter(cv::Mat& grey, double letter_px, const cv::Mat& glyphs) {
  cv::Mat labels, stats, centres;
  const int count = cv::connectedComponentsWithStats(grey < 128, labels, stats, centres, 8, CV_32S);
  std::vector<int> own(static_cast<size_t>(count));  // pixels of the line's glyphs
  for (int y = 0; y < grey.rows; ++y) {
    const int* label = labels.ptr<int>(y);
    const uint8_t* glyph = glyphs.ptr<uint8_t>(y);
    for (int x = 0; x < grey.cols; ++x)
      own[static_cast<size_t>(label[x])] += glyph[x] > 127 ? 1 : 0;
  }
  std::vector<uint8_t> keep(static_cast<size_t>(count), 255);
  keep[0] = 0;
  for (int i = 1; i < count; ++i) {
    const int* box = stats.ptr<int>(i);
    const int height = box[cv::CC_STAT_HEIGHT];
    const int width = box[cv::CC_STAT_WIDTH];
    const bool is_own = 2 * own[static_cast<size_t>(i)] > box[cv::CC_STAT_AREA];
    const bool reaches_out =
        box[cv::CC_STAT_TOP] == 0 || box[cv::CC_STAT_TOP] + height == grey.rows ||
        box[cv::CC_STAT_LEFT] == 0 || box[cv::CC_STAT_LEFT] + width == grey.cols;
    const double centre = centres.at<double>(i, 1) / grey.rows;
    if (box[cv::CC_STAT_AREA] < 0.006 * letter_px * letter_px ||
        height > (is_own ? 1.9 : 1.45) * letter_px ||
        (reaches_out && (centre < 0.25 || centre > 0.75 || width > letter_px)))
      keep[i] = 0;
  }
  cv::Mat mask(grey.size(), CV_8U);
  for (int y = 0; y < grey.rows; ++y) {
    const int* label = labels.ptr<int>(y);
    uint8_t* out = mask.ptr<uint8_t>(y);
    for (int x = 0; x < grey.cols; ++x) out[x] = keep[label[x]];
  }
  cv::dilate(mask, mask, cv::getStructuringElement(cv::MORPH_RECT, {3, 3}));
  keep_ink(grey, mask);
}

// Letters black, levels beyond the background's white.
void stretch(cv::Mat& grey, double ink, double paper) {
  const double range = std::abs(paper - ink) < 8 ? 8 * (paper < ink ? -1 : 1) : paper - ink;
  grey.convertTo(grey, CV_8U, 255 / range, -ink * 255 / range);
}

// The range of columns of a component.
struct Span {
  int left = 0;
  int right = 0;
};

// What may be a letter of a line whose letters stand between these rows, from left to right.
std::vector<Span> letters_in_row(const cv::Mat& grey, double top, double bottom, double letter_px) {
  cv::Mat labels, stats, centres;
  const int count = cv::connectedComponentsWithStats(grey < 128, labels, stats, centres, 8, CV_32S);
  std::vector<Span> letters;
  for (int i = 1; i < count; ++i) {
    const int* box = stats.ptr<int>(i);
    const int y = box[cv::CC_STAT_TOP];
    const int height = box[cv::CC_STAT_HEIGHT];
    const int width = box[cv::CC_STAT_WIDTH];
    if (height < 0.5 * letter_px || height > 1.35 * letter_px || width > 2 * letter_px) continue;
    if (y < top - 0.2 * letter_px || y + height > bottom + 0.2 * letter_px) continue;
    const double fill = static_cast<double>(box[cv::CC_STAT_AREA]) / (width * height);
    if (fill < 0.12 || (fill > 0.9 && 2 * width > height)) continue;
    letters.push_back({box[cv::CC_STAT_LEFT], box[cv::CC_STAT_LEFT] + width});
  }
  std::ranges::sort(letters, {}, &Span::left);
  return letters;
}

// Letters of the line's ink in its row, no farther away than `farthest`.
Reach reach_within(const cv::Mat& rgb, double rgb_scale, const TextLine& line, Reach farthest) {
  constexpr double kTallPx = 17;  // enough to see letters
  TextLine row = line;
  row.reach = farthest;
  const Frame frame = frame_of(row, kTallPx);
  const cv::Mat colours = cut(rgb, frame, rgb_scale);
  const cv::Mat glyphs = in_strip(glyph_mask(line), line, frame);
  const cv::Mat grey = distance_from_ink(colours, ink_colour(colours, glyphs, *line.layer), glyphs,
                                         line.layer->channel);
  const double letter_px = line.height_px * frame.scale;
  const double margin = kMargin * letter_px;
  const double first = farthest.left * frame.scale + 1.5 * margin;
  const double last = grey.cols - farthest.right * frame.scale - 1.5 * margin;
  const double widest = kWidestGap * letter_px;
  const std::vector<Span> letters = letters_in_row(grey, margin, grey.rows - margin, letter_px);
  double left = first;
  for (auto letter = letters.rbegin(); letter != letters.rend(); ++letter) {
    if (letter->left < left && left - letter->right <= widest) left = letter->left;
  }
  double right = last;
  for (const Span& letter : letters) {
    if (letter.right > right && letter.left - right <= widest) right = letter.right;
  }
  const double least = 0.2 * letter_px;
  return {first - left < least ? 0 : static_cast<float>((first - left) / frame.scale),
          right - last < least ? 0 : static_cast<float>((right - last) / frame.scale)};
}

}  // namespace

Reach reach_of(const cv::Mat& rgb, double rgb_scale, const TextLine& line) {
  constexpr float kNear = 3;  // in heights of a tall letter
  constexpr float kFar = 40;
  const float width = static_cast<float>(rgb.cols / rgb_scale);
  const Reach room = {line.box.x, std::max(0.0f, width - line.box.x - line.box.width)};
  const auto at_most = [&](float heights) {
    return Reach{std::min(heights * line.height_px, room.left),
                 std::min(heights * line.height_px, room.right)};
  };
  // Most lines are whole, which is soon seen.
  const Reach near = reach_within(rgb, rgb_scale, line, at_most(kNear));
  const float least = (kNear - kWidestGap) * line.height_px;
  if (near.left < least && near.right < least) return near;
  return reach_within(rgb, rgb_scale, line, at_most(kFar));
}

Strip render_line(const cv::Mat& rgb, double rgb_scale, const TextLine& found, Rendering rendering,
                  double least_letter_px) {
  const float level = median(found.glyphs, std::mem_fn(&Glyph::level));
  const float contrast = median(found.glyphs, std::mem_fn(&Glyph::contrast));
  TextLine line = found;
  line.reach.above = reach_of_marks(found, level, contrast);
  const Layer& layer = *line.layer;
  const Frame frame =
      frame_of(line, std::clamp(line.height_px * rgb_scale, least_letter_px, kMostLetterPx));
  const cv::Mat colours = cut(rgb, frame, rgb_scale);
  const Mask glyphs = glyph_mask(line);
  const cv::Mat own = in_strip(glyphs, line, frame);
  const int margin = static_cast<int>(kMargin / 2 * line.height_px * frame.scale);
  Strip strip{{},
              frame.to_picture,
              ink_colour(colours, own, layer),
              {margin, std::max(margin, frame.size.height - margin)}};
  if (rendering == Rendering::Plain) {
    strip.grey = samples_of(colours, layer);
    const double step = 1.5 * contrast;
    stretch(strip.grey, level, layer.polarity == Polarity::Bright ? level - step : level + step);
    return strip;
  }
  strip.grey = distance_from_ink(colours, strip.ink, own, layer.channel);
  if (rendering == Rendering::Isolated) {
    keep_ink(strip.grey, in_strip(ink_mask(glyphs, line, level, contrast), line, frame));
  } else {
    remove_what_is_no_letter(strip.grey, line.height_px * frame.scale, own);
  }
  return strip;
}

cv::Rect box_in_picture(const Strip& strip, const cv::Rect& box) {
  double left = 1e9, right = -1e9, top = 1e9, bottom = -1e9;
  for (const cv::Point corner : {box.tl(), box.br(), cv::Point(box.x, box.y + box.height),
                                 cv::Point(box.x + box.width, box.y)}) {
    const cv::Vec3d point(corner.x, corner.y, 1);
    const cv::Vec2d at = strip.to_picture * point;
    left = std::min(left, at[0]);
    right = std::max(right, at[0]);
    top = std::min(top, at[1]);
    bottom = std::max(bottom, at[1]);
  }
  const cv::Point first(static_cast<int>(std::lround(left)), static_cast<int>(std::lround(top)));
  return {first,
          cv::Point(static_cast<int>(std::lround(right)), static_cast<int>(std::lround(bottom)))};
}

}  // namespace zeroshelf
