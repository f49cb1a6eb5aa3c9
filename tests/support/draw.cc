#include "tests/support/draw.h"

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <random>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace zeroshelf::testing {
namespace {

constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;
constexpr double kCapitalPxAtScale1 = 21;

cv::Mat view_of(Image& image) {
  return {image.height_px, image.width_px, CV_8UC3, image.rgb.data()};
}

cv::Scalar scalar(Colour colour) {
  return {double(colour.r), double(colour.g), double(colour.b)};
}

// Only the engine's bits are used: the standard's distributions differ between libraries.
int below(std::mt19937& random, int end) {
  return static_cast<int>(random() % end);
}

Colour random_colour(std::mt19937& random) {
  const uint32_t bits = random();
  return {static_cast<uint8_t>(bits), static_cast<uint8_t>(bits >> 8),
          static_cast<uint8_t>(bits >> 16)};
}

int thickness_for(int letter_px) {
  return std::max(1, letter_px / 8);
}

std::string encoded(const Image& image, const char* extension, const std::vector<int>& parameters) {
  Image copy = image;
  cv::Mat bgr;
  cv::cvtColor(view_of(copy), bgr, cv::COLOR_RGB2BGR);
  std::vector<uint8_t> bytes;
  if (!cv::imencode(extension, bgr, bytes, parameters)) throw std::runtime_error("cannot encode");
  return {bytes.begin(), bytes.end()};
}

uint8_t between(uint8_t from, uint8_t to, int part, int whole) {
  return static_cast<uint8_t>(from + (int{to} - from) * part / std::max(1, whole));
}

}  // namespace

Image plain_image(int width_px, int height_px, Colour colour) {
  Image image{width_px, height_px, {}};
  image.rgb.reserve(size_t{3} * width_px * height_px);
  for (int i = 0; i < width_px * height_px; ++i) {
    image.rgb.insert(image.rgb.end(), {colour.r, colour.g, colour.b});
  }
  return image;
}

Image gradient_image(int width_px, int height_px, uint32_t seed) {
  std::mt19937 random(seed);
  const Colour from = random_colour(random);
  const Colour to = random_colour(random);
  Image image = plain_image(width_px, height_px, from);
  const int whole = width_px + height_px - 2;
  for (int y = 0; y < height_px; ++y) {
    for (int x = 0; x < width_px; ++x) {
      uint8_t* rgb = image.rgb.data() + (static_cast<size_t>(y) * width_px + x) * 3;
      rgb[0] = between(from.r, to.r, x + y, whole);
      rgb[1] = between(from.g, to.g, x, width_px - 1);
      rgb[2] = between(from.b, to.b, y, height_px - 1);
    }
  }
  return image;
}

Image shapes_image(int width_px, int height_px, uint32_t seed, int count) {
  Image image = gradient_image(width_px, height_px, seed);
  std::mt19937 random(seed + 1);
  cv::Mat view = view_of(image);
  const auto point = [&] {
    const int x = below(random, width_px);
    return cv::Point(x, below(random, height_px));
  };
  for (int i = 0; i < count; ++i) {
    const cv::Scalar colour = scalar(random_colour(random));
    const cv::Point from = point();
    const cv::Point to = point();
    if (i % 3 == 0) cv::circle(view, from, 1 + below(random, width_px / 4 + 1), colour, cv::FILLED);
    if (i % 3 == 1) cv::rectangle(view, from, to, colour, cv::FILLED);
    if (i % 3 == 2) cv::line(view, from, to, colour, 1 + below(random, 4));
  }
  return image;
}

Image noise_image(int width_px, int height_px, uint32_t seed) {
  std::mt19937 random(seed);
  Image image = plain_image(width_px, height_px, {});
  for (uint8_t& sample : image.rgb) sample = static_cast<uint8_t>(random());
  return image;
}

void draw_text(Image& image, const std::string& text, int x, int y, int letter_px, Colour colour) {
  cv::Mat view = view_of(image);
  cv::putText(view, text, {x, y}, kFont, letter_px / kCapitalPxAtScale1, scalar(colour),
              thickness_for(letter_px), cv::LINE_AA);
}

Image text_image(const std::string& text, int letter_px) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  int width = 0;
  for (std::string line; std::getline(stream, line);) {
    int baseline = 0;
    width = std::max(width, cv::getTextSize(line, kFont, letter_px / kCapitalPxAtScale1,
                                            thickness_for(letter_px), &baseline)
                                .width);
    lines.push_back(line);
  }
  const int line_px = 2 * letter_px;
  const int count = static_cast<int>(lines.size());
  Image image = plain_image(width + 2 * line_px, (count + 1) * line_px, {255, 255, 255});
  for (int i = 0; i < count; ++i) {
    draw_text(image, lines[i], line_px, (i + 1) * line_px + letter_px / 2, letter_px, {});
  }
  return image;
}

std::string png_bytes(const Image& image) {
  return encoded(image, ".png", {});
}

std::string jpeg_bytes(const Image& image, int quality) {
  return encoded(image, ".jpg", {cv::IMWRITE_JPEG_QUALITY, quality});
}

}  // namespace zeroshelf::testing
