// Tests lib/image/preprocess.h. That the pixels are PIL's is tested by reference_test.cc.

#include "lib/image/preprocess.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cmath>

#include "tests/image/corpus.h"
#include "tests/support/draw.h"

namespace zeroshelf {
namespace {

using namespace testing;

Image crop(const Image& image, int x, int y, int size) {
  Image result{size, size, {}};
  for (int row = 0; row < size; ++row) {
    const auto part = image.row(y + row).subspan(size_t{3} * x, size_t{3} * size);
    result.rgb.insert(result.rgb.end(), part.begin(), part.end());
  }
  return result;
}

// One axis of the resize, straight from its definition.
std::vector<double> weights_at(int source, int target, int at, int& first) {
  const double scale = static_cast<double>(source) / target;
  const double wide = std::max(scale, 1.0);
  const double centre = (at + 0.5) * scale;
  first = std::max(0, static_cast<int>(centre - 2 * wide + 0.5));
  const int end = std::min(source, static_cast<int>(centre + 2 * wide + 0.5));
  std::vector<double> weights;
  double sum = 0;
  for (int i = first; i < end; ++i) {
    const double x = std::fabs((i - centre + 0.5) / wide);
    weights.push_back(x < 1   ? 1.5 * x * x * x - 2.5 * x * x + 1
                      : x < 2 ? -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2
                              : 0);
    sum += weights.back();
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

double clipped(double value) {
  return std::clamp(value, 0.0, 255.0);
}

double naive_sample(const Image& image, int width, int height, int x, int y, int channel) {
  int left = 0;
  int top = 0;
  const auto across = weights_at(image.width_px, width, x, left);
  const auto down = weights_at(image.height_px, height, y, top);
  double sum = 0;
  for (size_t j = 0; j < down.size(); ++j) {
    double row = 0;
    for (size_t i = 0; i < across.size(); ++i) {
      row += across[i] * image.row(top + static_cast<int>(j))[3 * (left + i) + channel];
    }
    sum += down[j] * std::round(clipped(row));
  }
  return clipped(sum);
}

}  // namespace

BOOST_AUTO_TEST_CASE(resize_follows_its_definition) {
  const int sizes[][4] = {{40, 30, 17, 13}, {17, 13, 40, 31}, {64, 64, 64, 20},
                          {64, 64, 20, 64}, {5, 90, 11, 7},   {1, 1, 9, 9}};
  for (const auto& [width, height, to_width, to_height] : sizes) {
    const Image image = noise_image(width, height, 77);
    const Image resized = resize_bicubic(image, to_width, to_height);
    BOOST_REQUIRE(resized.rgb.size() == size_t{3} * to_width * to_height);
    double greatest = 0;
    for (int y = 0; y < to_height; ++y) {
      for (int x = 0; x < to_width; ++x) {
        for (int c = 0; c < 3; ++c) {
          const double expected = naive_sample(image, to_width, to_height, x, y, c);
          greatest = std::max(greatest, std::fabs(expected - resized.row(y)[3 * x + c]));
        }
      }
    }
    BOOST_TEST(greatest < 2.0);  // a tie of the first pass may round either way
  }
}

BOOST_AUTO_TEST_CASE(resize_to_the_same_size_changes_nothing) {
  const Image image = noise_image(31, 17, 5);
  BOOST_TEST(greatest_difference(resize_bicubic(image, 31, 17), image) == 0);
}

BOOST_AUTO_TEST_CASE(flat_colour_stays_flat) {
  const Image resized = resize_bicubic(plain_image(301, 7, {9, 128, 255}), 50, 33);
  BOOST_TEST(greatest_difference(resized, plain_image(50, 33, {9, 128, 255})) == 0);
}

BOOST_AUTO_TEST_CASE(crop_is_the_centre_of_the_whole_resize) {
  // The longer side, and where its centre square starts: halves round to even.
  const int sizes[][2] = {{40, 30}, {30, 40}, {20, 21}, {20, 23}, {23, 20},
                          {20, 20}, {67, 20}, {20, 25}, {7, 100}, {100, 7}};
  for (const auto& [width, height] : sizes) {
    const Image image = noise_image(width, height, 8);
    const int shorter = std::min(width, height);
    const Image whole = resize_bicubic(image, 20 * width / shorter, 20 * height / shorter);
    const auto offset = [](int excess) { return static_cast<int>(std::nearbyint(excess / 2.0)); };
    const Image expected =
        crop(whole, offset(whole.width_px - 20), offset(whole.height_px - 20), 20);
    BOOST_TEST(greatest_difference(resize_and_crop(image, 20), expected) == 0);
  }
}

BOOST_AUTO_TEST_CASE(extreme_shapes_cost_little) {
  const auto start = std::chrono::steady_clock::now();
  for (const auto& [width, height] : {std::pair{1, 30'000}, {30'000, 1}, {3, 1'000'000}}) {
    const Image square = resize_and_crop(plain_image(width, height, {7, 8, 9}), 224);
    BOOST_TEST(greatest_difference(square, plain_image(224, 224, {7, 8, 9})) == 0);
  }
  BOOST_TEST((std::chrono::steady_clock::now() - start < std::chrono::seconds(5)));
}

BOOST_AUTO_TEST_CASE(normalised_pixels_are_planes) {
  const Image image{2, 1, {0, 51, 255, 255, 102, 0}};
  const Preprocessing simple{
      .size_px = 2, .mean = {0.5f, 0, 0}, .standard_deviation = {0.5f, 1, 2}};
  std::vector<float> out(6);
  normalise_pixels(image, simple, out);
  const std::vector<float> expected = {-1, 1, 51 / 255.0f, 102 / 255.0f, 0.5f, 0};
  BOOST_TEST(out == expected, boost::test_tools::per_element());
}

}  // namespace zeroshelf
