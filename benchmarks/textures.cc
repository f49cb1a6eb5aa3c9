// Used by zeroshelf-train-lines.

#include "benchmarks/textures.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <opencv2/imgproc.hpp>

namespace zeroshelf::train {
namespace {

cv::Scalar colour_near(const cv::Scalar& colour, double spread, Random& random) {
  const double light = random.uniform(-spread, spread);
  const auto one = [&](double value) {
    return std::clamp(value + light + random.uniform(-0.3, 0.3) * spread, 0.0, 255.0);
  };
  return {one(colour[0]), one(colour[1]), one(colour[2])};
}

cv::Scalar any_colour(Random& random) {
  const double light = random.uniform(20, 230);
  return colour_near({light, light, light}, 50, random);
}

cv::Point any_place(const cv::Mat& picture, Random& random) {
  return {random.between(-20, picture.cols + 20), random.between(-20, picture.rows + 20)};
}

// Things that hide each other, of sizes whose frequency falls with the cube of the size, as those
// of natural pictures do (Lee, Mumford and Huang 2001).
void draw_leaves(cv::Mat& picture, Random& random) {
  const cv::Scalar base = any_colour(random);
  const double spread = random.uniform(15, 90);
  const double least = random.uniform(2, 8);
  const double slim = random.uniform(0.15, 1);
  const bool has_vein = random.chance(0.4);
  const int count = static_cast<int>(picture.total() / (least * least) / random.uniform(6, 20));
  for (int i = 0; i < count; ++i) {
    const double radius = std::min(least / std::sqrt(1 - random.uniform(0, 0.9995)), 150.0);
    const cv::Point place = any_place(picture, random);
    const double angle = random.uniform(0, 360);
    const cv::Scalar colour = colour_near(base, spread, random);
    const cv::Size size(static_cast<int>(radius), std::max(1, static_cast<int>(radius * slim)));
    cv::ellipse(picture, place, size, angle, 0, 360, colour, -1, cv::LINE_AA);
    if (!has_vein) continue;
    const double turn = angle * std::numbers::pi / 180;
    const cv::Point along(static_cast<int>(radius * std::cos(turn)),
                          static_cast<int>(radius * std::sin(turn)));
    cv::line(picture, place - along, place + along, colour_near(colour, 40, random), 1,
             cv::LINE_AA);
  }
}

void draw_strokes(cv::Mat& picture, Random& random) {
  const cv::Scalar base = any_colour(random);
  picture = any_colour(random);
  const double spread = random.uniform(20, 90);
  const double along = random.uniform(0, std::numbers::pi);
  const double wild = random.uniform(0.05, 1.5);
  const double longest = random.uniform(8, 60);
  const int count =
      static_cast<int>(static_cast<double>(picture.total()) / longest * random.uniform(0.1, 0.6));
  for (int i = 0; i < count; ++i) {
    const double angle = along + wild * random.uniform(-1, 1);
    const double length = longest * random.uniform(0.3, 1);
    const cv::Point from = any_place(picture, random);
    const cv::Point to = from + cv::Point(static_cast<int>(length * std::cos(angle)),
                                          static_cast<int>(length * std::sin(angle)));
    const int width = random.between(1, 4);
    cv::line(picture, from, to, colour_near(base, spread, random), width, cv::LINE_AA);
  }
}

// Bricks, tiles, windows, planks: boxes in rows with something between them.
void draw_wall(cv::Mat& picture, Random& random) {
  picture = any_colour(random);
  const cv::Scalar base = any_colour(random);
  const double spread = random.uniform(5, 60);
  const int height = random.between(6, 70);
  const int width = std::max(4, static_cast<int>(height * random.uniform(0.3, 4)));
  const int gap_x = random.between(1, std::max(2, width));
  const int gap_y = random.between(1, std::max(2, height));
  const int shift = random.chance(0.5) ? (width + gap_x) / 2 : 0;
  const double uneven = random.uniform(0, 0.25);
  int row = 0;
  for (int y = -height; y < picture.rows; y += height + gap_y, ++row) {
    for (int x = -width + row % 2 * shift; x < picture.cols; x += width + gap_x) {
      const auto off = [&](int side) {
        return static_cast<int>(side * uneven * random.uniform(-0.5, 0.5));
      };
      if (random.chance(0.03)) continue;
      const int first_y = y + off(height);
      const cv::Point first(x + off(width), first_y);
      const int last_y = y + height + off(height);
      const cv::Point last(x + width + off(width), last_y);
      cv::rectangle(picture, first, last, colour_near(base, spread, random), -1, cv::LINE_AA);
      if (random.chance(0.2))
        cv::rectangle(picture, first, (first + last) / 2, colour_near(base, 60, random), -1);
    }
  }
}

void draw_pebbles(cv::Mat& picture, Random& random) {
  picture = any_colour(random);
  const cv::Scalar base = any_colour(random);
  const double spread = random.uniform(10, 70);
  const int step = random.between(5, 50);
  const double loose = random.uniform(0.2, 1.2);
  for (int y = 0; y < picture.rows + step; y += step) {
    for (int x = 0; x < picture.cols + step; x += step) {
      const auto off = [&] { return static_cast<int>(step * loose * random.uniform(-0.5, 0.5)); };
      const auto half = [&] {
        return std::max(1, static_cast<int>(step * random.uniform(0.2, 0.6)));
      };
      const int place_y = y + off();
      const cv::Point place(x + off(), place_y);
      const int height = half();
      const cv::Size size(half(), height);
      const double from = random.chance(0.2) ? random.uniform(0, 300) : 0;
      const int line = random.chance(0.2) ? 2 : -1;
      const cv::Scalar colour = colour_near(base, spread, random);
      cv::ellipse(picture, place, size, random.uniform(0, 180), from, 360, colour, line,
                  cv::LINE_AA);
    }
  }
}

// Noise of several sizes: sand, water, bark, cloth.
void draw_grain(cv::Mat& picture, Random& random) {
  const cv::Scalar base = any_colour(random);
  const double stretch = random.chance(0.5) ? random.uniform(1, 8) : 1;
  cv::Mat sum(picture.size(), CV_32F, cv::Scalar(0));
  const int least = random.between(1, 12);
  for (int size = least; size < 100; size *= 2) {
    const int columns = std::max(2, static_cast<int>(picture.cols / (size * stretch)));
    cv::Mat noise(std::max(2, picture.rows / size), columns, CV_32F);
    for (int y = 0; y < noise.rows; ++y) {
      for (int x = 0; x < noise.cols; ++x)
        noise.at<float>(y, x) = static_cast<float>(random.uniform(-1, 1));
    }
    cv::resize(noise, noise, picture.size(), 0, 0, cv::INTER_CUBIC);
    sum += noise * random.uniform(10, 60);
  }
  if (random.chance(0.4)) sum = cv::max(sum, random.uniform(-20, 20));  // flat between its tops
  cv::Mat channels[3];
  for (int i = 0; i < 3; ++i) {
    cv::Mat one = sum + base[i];
    one.convertTo(channels[i], CV_8U);
  }
  cv::merge(channels, 3, picture);
}

}  // namespace

Image draw_texture(int width_px, int height_px, Random& random) {
  Image image{width_px, height_px, {}};
  image.rgb.resize(3 * static_cast<size_t>(width_px) * static_cast<size_t>(height_px));
  cv::Mat picture(height_px, width_px, CV_8UC3, image.rgb.data());
  picture = any_colour(random);
  using Draw = void (*)(cv::Mat&, Random&);
  static constexpr Draw kKinds[] = {draw_leaves, draw_strokes, draw_wall, draw_pebbles, draw_grain};
  cv::Mat texture = picture.clone();
  kKinds[random.below(std::size(kKinds))](texture, random);
  if (random.chance(0.3)) {
    cv::Mat other = picture.clone();
    kKinds[random.below(std::size(kKinds))](other, random);
    const double part = random.uniform(0.2, 0.8);
    cv::addWeighted(texture, part, other, 1 - part, 0, texture);
  }
  if (random.chance(0.4)) cv::GaussianBlur(texture, texture, {}, random.uniform(0.4, 1.6));
  texture.copyTo(picture);
  return image;
}

}  // namespace zeroshelf::train
